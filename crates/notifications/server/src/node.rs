mod builder;
mod drop_guard;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;

pub use builder::NodeBuilder;
use drop_guard::DropGuard;

use crate::config::Config;
use crate::dispatcher::Dispatcher;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::relay::Relay;
use crate::store::Store;
use crate::supervisor::Supervisor;
use crate::upkeep::Upkeep;

/// A running server without a listener: the routes, and the tasks that publish changes, relay
/// intents and look after the inboxes.
///
/// Serve [`router`](Self::router) alone or nested in your own router, and call
/// [`shutdown`](Self::shutdown) at the end. Keep the node alive while its routes are served: a node
/// that is dropped instead stops at once, and its routes answer pushes with 503. What it
/// acknowledged is stored, and the next start publishes it. [`Server`](crate::Server) is a node
/// with a listener.
pub struct Node {
    guard: DropGuard,
    router: Router,
    metrics: Arc<Metrics>,
    store: Arc<dyn Store>,
    relay: Relay,
    upkeep: Upkeep,
    dispatcher: Dispatcher,
    supervisor: Supervisor,
    shutdown_timeout: Duration,
}

impl Node {
    /// Builds a node over a store. The node closes the store when it shuts down. Use one node per
    /// store: a store notifies only the last node that was started over it.
    pub fn builder(store: Arc<dyn Store>) -> NodeBuilder {
        NodeBuilder::new(store)
    }

    /// Opens the configured database and builds a node over it, which also relays the intents in
    /// this database. Of the configuration, only `listen` has no effect.
    ///
    /// # Errors
    /// Returns an [`Error`] if no database is configured, or if it cannot be opened.
    pub async fn open(config: Config) -> Result<NodeBuilder, Error> {
        let database = config.required_database()?;
        let (store, outbox) = (database.open().await?, database.clone().into());
        Ok(NodeBuilder::new(store).config(config).own_outbox(&outbox))
    }

    /// Returns the routes. Keep the node alive while they are served: once it is dropped or shut
    /// down, they refuse all changes with 503, because nobody would publish these.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Returns the metrics in Prometheus's text format, as the route `/metrics` does.
    pub fn metrics(&self) -> String {
        self.metrics.text()
    }

    /// Returns for how many inboxes the Channels engine has permanently rejected events since the
    /// start.
    pub fn refused(&self) -> u64 {
        self.dispatcher.refused()
    }

    /// Waits until the node can no longer do all of its work because one of its tasks has ended
    /// unexpectedly, and returns which. Waits for ever if that does not happen.
    ///
    /// `/health/ready` reports it too. The routes keep answering: [shut down](Self::shutdown) the
    /// node and end with an error, so that a service manager starts it again.
    pub fn failed(&self) -> impl Future<Output = Error> + Send + 'static {
        self.supervisor.failed().map(Error::task_ended)
    }

    /// Finishes what was acknowledged: stops relaying, publishes all stored changes, disconnects
    /// clients and closes the store. Stop serving the routes before this.
    pub async fn shutdown(mut self) {
        self.supervisor.stop();
        self.guard.stopped.cancel();
        // In this order: intents and due notifications make changes, which the dispatcher publishes
        // to the clients of the broker.
        self.relay.stop(self.shutdown_timeout).await;
        self.upkeep.stop(self.shutdown_timeout).await;
        self.dispatcher.stop(self.shutdown_timeout).await;
        if let Some(broker) = self.guard.broker.take() {
            broker.shutdown().await;
        }
        self.store.close().await;
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("relay", &self.relay).finish_non_exhaustive()
    }
}
