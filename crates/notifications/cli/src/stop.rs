use std::future::Future;

use crate::error::Error;

/// Waits for somebody to ask the process to end: Ctrl-C, or SIGTERM.
pub(crate) struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    /// From here on a signal no longer kills the process.
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Error::failed(format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// From here on a signal no longer kills the process.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Returns when the process was asked to end.
    #[cfg(unix)]
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Returns when the process was asked to end.
    #[cfg(not(unix))]
    pub(crate) async fn asked(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Finishes what was accepted, after the process was asked to end; asked again, it fails with `unfinished`.
    pub(crate) async fn unless_asked_again<T>(
        &mut self,
        finishing: impl Future<Output = T>,
        unfinished: &str,
    ) -> Result<T, Error> {
        tracing::info!("stopping: finishing what was accepted; ask again to end at once");
        tokio::select! {
            finished = finishing => Ok(finished),
            () = self.asked() => Err(Error::failed(unfinished)),
        }
    }
}
