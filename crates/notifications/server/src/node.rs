mod builder;
mod drop_guard;
mod schedule;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::{FutureExt, future};
use tokio::time::{Instant, timeout, timeout_at};

pub use builder::NodeBuilder;
use drop_guard::DropGuard;
use schedule::Schedule;

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
    /// The first field, and thus dropped first: it would report the end of the tasks otherwise.
    supervisor: Supervisor,
    guard: DropGuard,
    router: Router,
    metrics: Arc<Metrics>,
    store: Arc<dyn Store>,
    relay: Relay,
    upkeep: Upkeep,
    dispatcher: Dispatcher,
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

    /// Publishes what is stored, disconnects the clients of an embedded broker, finishes the work
    /// of all tasks and closes the store. Stop serving the routes before this.
    ///
    /// Takes at most [`Limits::shutdown_timeout`](crate::Limits::shutdown_timeout). What is
    /// acknowledged is stored anyway; the next start continues with the rest.
    pub async fn shutdown(self) {
        self.shutdown_beside(std::future::ready(())).await;
    }

    /// Shuts the node down, as [`shutdown`](Self::shutdown) does, while its routes still serve the
    /// requests that are running. `served` returns once these have ended.
    pub(crate) async fn shutdown_beside(self, served: impl Future<Output = ()>) {
        let Self { mut guard, store, relay, upkeep, dispatcher, supervisor, shutdown_timeout, .. } = self;
        supervisor.stop();
        let schedule = Schedule::starting_now(shutdown_timeout);
        let requests = async {
            if timeout_at(schedule.requests, served).await.is_err() {
                tracing::warn!("some requests did not finish in time and were cut off");
            }
            guard.stopped.cancel();
        };
        let limit = left(schedule.requests);
        let makers = future::join(relay.stop(limit), upkeep.stop(limit)).map(drop).shared();
        match guard.broker.clone() {
            Some(broker) => {
                // Clients need not wait for a slow request: they catch up on its change when they
                // have connected again. The next start publishes it.
                let clients = async {
                    let _ = timeout(left(schedule.clients) / 2, makers.clone()).await;
                    dispatcher.stop(left(schedule.clients)).await;
                    let _ = timeout_at(schedule.publishing, broker.shutdown()).await;
                };
                future::join3(requests, makers.clone(), clients).await;
            }
            None => {
                future::join(requests, makers).await;
                dispatcher.stop(left(schedule.publishing)).await;
            }
        }
        guard.broker = None;
        if timeout_at(schedule.end, store.close()).await.is_err() {
            tracing::warn!("the database was not closed in time; everything acknowledged is stored");
        }
    }
}

/// Returns the time that is left until a deadline.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("relay", &self.relay).finish_non_exhaustive()
    }
}
