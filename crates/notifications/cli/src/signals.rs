use std::future::Future;

use crate::error::Error;

/// Waits for the signals that end the process: Ctrl-C (SIGINT) and SIGTERM.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes over the signals. From now on they no longer end the process by themselves.
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Error::failed(format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Takes over the signals. From now on they no longer end the process by themselves.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Returns when the next signal arrives. Cancel-safe.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Returns when the next signal arrives. Cancel-safe.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Runs a graceful shutdown. A second signal aborts it, with the error `unfinished`.
    pub(crate) async fn finish<T>(
        &mut self,
        shutdown: impl Future<Output = T>,
        unfinished: &str,
    ) -> Result<T, Error> {
        tracing::info!("shutting down gracefully; send another signal to stop at once");
        tokio::select! {
            finished = shutdown => Ok(finished),
            () = self.next() => Err(Error::failed(unfinished)),
        }
    }
}
