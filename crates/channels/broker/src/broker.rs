use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::{get, post};
use pusher_protocol::{ChannelName, CloseCode, EventName, SocketId, published_event};
use pusher_signer::Signer;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::error::Error;
use crate::limits::Limits;
use crate::mailbox::Ending;
use crate::registry::Registry;
use crate::{api, served, upgrade};

/// The one app that a broker serves.
#[derive(Clone, Debug)]
pub struct App {
    /// The id in the paths of the HTTP API.
    pub id: String,
    /// The key that clients connect with, and the secret.
    pub signer: Signer,
}

/// A Channels server. Clones are handles to the same one.
#[derive(Clone)]
pub struct Broker {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) limits: Limits,
    pub(crate) registry: Registry,
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    /// How many connection tasks run, those included that only tell a client why it may not stay.
    tasks: watch::Sender<usize>,
}

/// Tasks above [`Limits::sockets`], for telling the clients over the limit so.
const TASKS_TO_REFUSE: usize = 64;

impl Broker {
    /// Makes a broker for one app.
    pub fn new(app: App, limits: Limits) -> Self {
        Self::with_clock(app, limits, || {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
        })
    }

    /// Makes a broker with a clock of its own, in Unix seconds, for the age of signed HTTP API requests.
    pub fn with_clock(app: App, limits: Limits, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self::with_parts(app, limits, clock, rand::random)
    }

    /// Makes a broker with a clock of its own, as [`with_clock`](Self::with_clock), and socket ids of the caller's random numbers, of which no
    /// two in a row may be equal: for simulations.
    pub fn with_parts(
        app: App,
        limits: Limits,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        random: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared {
            app,
            limits,
            registry: Registry::new(random),
            clock: Box::new(clock),
            tasks: watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The routes: `GET /app/{key}` for the WebSocket, `POST /apps/{id}/events` and `/apps/{id}/batch_events`. Nested below a
    /// path, what an HTTP API caller signs still begins at `/apps/`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/app/{key}", get(upgrade::accept))
            .route("/apps/{id}/events", post(api::events))
            .route("/apps/{id}/batch_events", post(api::batch_events))
            .with_state(self.clone())
    }

    /// Publishes an event to a channel's subscribers but `except`, and tells how many connections it was handed to. Never
    /// waits: whoever's queue is full is disconnected. Events of one channel reach every subscriber in the order of the calls.
    ///
    /// # Errors
    /// Data over [`Limits::event_data`], or a kind of channel that is not served.
    pub fn publish(
        &self,
        channel: &ChannelName,
        event: &EventName,
        data: &str,
        except: Option<&SocketId>,
    ) -> Result<usize, Error> {
        self.check(channel, data)?;
        let registry = &self.shared.registry;
        if !registry.is_occupied(channel) {
            return Ok(0);
        }
        let frame = Utf8Bytes::from(published_event(event.as_str(), channel.as_str(), data));
        Ok(registry.publish(channel, &frame, except))
    }

    /// Whether [`publish`](Self::publish) would take it.
    pub(crate) fn check(&self, channel: &ChannelName, data: &str) -> Result<(), Error> {
        served::check(channel)?;
        let limit = self.shared.limits.event_data;
        if data.len() > limit { Err(Error::data_too_long(limit)) } else { Ok(()) }
    }

    /// How many connections are established.
    pub fn connections(&self) -> usize {
        self.shared.registry.connections()
    }

    /// Closes every connection with 4200, after what was published to it, so that clients come back at once to whoever listens
    /// then, and answers further requests with 503. Waits until all have ended, but not longer than twice
    /// [`Limits::close_timeout`].
    pub async fn shutdown(&self) {
        self.shared.registry.close(Ending::new(CloseCode::RECONNECT, "The server is shutting down"));
        let mut tasks = self.shared.tasks.subscribe();
        let all_ended = tasks.wait_for(|tasks| *tasks == 0);
        // Twice: once for what is queued, once for the closing handshake.
        let limit = self.shared.limits.close_timeout.saturating_mul(2);
        if tokio::time::timeout(limit, all_ended).await.is_err() {
            let connections = *self.shared.tasks.borrow();
            tracing::warn!(connections, "connections did not end in time");
        }
    }

    pub(crate) fn now(&self) -> u64 {
        (self.shared.clock)()
    }

    /// Room for one more connection task.
    pub(crate) fn admit(&self) -> Admission {
        let limit = self.shared.limits.sockets;
        let mut tasks = 0;
        self.shared.tasks.send_modify(|running| {
            *running += 1;
            tasks = *running;
        });
        let ticket = Ticket { shared: self.shared.clone() };
        if tasks > limit.saturating_add(TASKS_TO_REFUSE) {
            Admission::Full
        } else if tasks > limit {
            Admission::Refuse(ticket)
        } else {
            Admission::Welcome(ticket)
        }
    }
}

/// Whether there is room for a connection.
pub(crate) enum Admission {
    Welcome(Ticket),
    /// Only to be told that there is none.
    Refuse(Ticket),
    /// Not even for that.
    Full,
}

/// Held by a connection task as long as it runs.
pub(crate) struct Ticket {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.tasks.send_modify(|running| *running = running.saturating_sub(1));
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("app", &self.shared.app)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let app = App { id: "1".into(), signer: Signer::new("app-key", "app-secret") };
        let broker = Broker::new(app, Limits::default());
        let text = format!("{broker:?} {:?}", broker.shared.app);
        assert!(text.contains("app-key") && !text.contains("app-secret"), "{text}");
    }
}
