use pusher_broker::Broker;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Stops the routes and the embedded broker of a node when it is dropped.
pub(super) struct DropGuard {
    /// Makes the routes refuse further changes once it is cancelled.
    pub(super) stopped: CancellationToken,
    pub(super) broker: Option<Broker>,
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if !self.stopped.is_cancelled() {
            tracing::warn!("the node was dropped without a shutdown; its routes accept no more pushes");
            self.stopped.cancel();
        }
        // Upgraded connections belong to the broker and would outlive the node.
        if let (Some(broker), Ok(runtime)) = (self.broker.take(), Handle::try_current()) {
            runtime.spawn(async move { broker.shutdown().await });
        }
    }
}
