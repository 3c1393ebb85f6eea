use std::time::Duration;

use tokio::sync::watch;

/// Tells tasks to stop.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

/// A task's end of a [`Stop`].
#[derive(Clone, Debug)]
pub(crate) struct Stopped(watch::Receiver<bool>);

pub(crate) fn stop() -> (Stop, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Stopped(receiver))
}

impl Stop {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Waits until the task is to stop; also when nobody is left to tell it.
    pub(crate) async fn wait(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Waits so long, or less when the task is to stop; whether it is.
    pub(crate) async fn within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.wait()).await.is_ok()
    }

    /// Whether the task is to stop.
    pub(crate) fn has_come(&self) -> bool {
        *self.0.borrow()
    }
}
