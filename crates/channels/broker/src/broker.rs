use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use pusher_protocol::{ChannelName, CloseCode, EventName, SocketId, published_event};
use pusher_signer::Signer;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::builder::Builder;
use crate::error::Error;
use crate::limits::Limits;
use crate::mailbox::Ending;
use crate::registry::Registry;
use crate::{api, upgrade};

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
    pub(crate) clock: Clock,
    pub(crate) client_events: bool,
    /// How many connection tasks run, those included that only tell a client why it may not stay.
    tasks: watch::Sender<usize>,
}

/// The time since the Unix epoch.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

const TERMINATED: Ending = Ending::new(CloseCode::UNAUTHORIZED, "You got disconnected by the app");

impl Shared {
    pub(crate) fn new(
        app: App,
        limits: Limits,
        registry: Registry,
        clock: Clock,
        client_events: bool,
    ) -> Self {
        Self { app, limits, registry, clock, client_events, tasks: watch::Sender::new(0) }
    }

    /// After subscriptions changed: sees to the counts that are not told at once.
    pub(crate) fn tell_counts_later(self: &Arc<Self>) {
        if !self.registry.counts_wait() {
            return;
        }
        // A connection may end with its runtime.
        if let Ok(runtime) = Handle::try_current() {
            let shared = self.clone();
            runtime.spawn(async move {
                while let Some(next) = shared.registry.tell_counts() {
                    sleep_until(next).await;
                }
            });
        }
    }
}

/// Tasks above [`Limits::sockets`], for telling the clients over the limit so.
const TASKS_TO_REFUSE: usize = 64;

impl Broker {
    /// Makes a broker for one app, with everything else as [`builder`](Self::builder) begins.
    pub fn new(app: App, limits: Limits) -> Self {
        Self::builder(app).limits(limits).build()
    }

    /// A broker for one app, to be set up.
    pub fn builder(app: App) -> Builder {
        Builder::new(app)
    }

    /// The routes: `GET /app/{key}` for the WebSocket, and below `/apps/{id}` the HTTP API: `POST events`, `POST batch_events`,
    /// `GET channels`, `GET channels/{name}`, `GET channels/{name}/users`, `POST users/{id}/terminate_connections`. Nested below a path,
    /// what an HTTP API caller signs still begins at `/apps/`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/app/{key}", get(upgrade::accept))
            .route("/apps/{id}/events", post(api::events))
            .route("/apps/{id}/batch_events", post(api::batch_events))
            .route("/apps/{id}/channels", get(api::channels))
            .route("/apps/{id}/channels/{name}", get(api::channel))
            .route("/apps/{id}/channels/{name}/users", get(api::users))
            .route("/apps/{id}/users/{user}/terminate_connections", post(api::terminate_connections))
            .with_state(self.clone())
    }

    /// Publishes an event to a channel's subscribers but `except`, and tells how many connections it was handed to. Never
    /// waits: whoever's queue is full is disconnected. Events of one channel reach every subscriber in the order of the calls.
    ///
    /// # Errors
    /// Data over [`Limits::event_data`].
    pub fn publish(
        &self,
        channel: &ChannelName,
        event: &EventName,
        data: &str,
        except: Option<&SocketId>,
    ) -> Result<usize, Error> {
        self.check(data)?;
        let registry = &self.shared.registry;
        if !channel.kind().is_cache() && !registry.is_occupied(channel) {
            return Ok(0);
        }
        let frame = Utf8Bytes::from(published_event(event.as_str(), channel.as_str(), data));
        Ok(registry.publish(channel, &frame, except))
    }

    /// Whether [`publish`](Self::publish) would take it.
    pub(crate) fn check(&self, data: &str) -> Result<(), Error> {
        let limit = self.shared.limits.event_data;
        if data.len() > limit { Err(Error::data_too_long(limit)) } else { Ok(()) }
    }

    /// Closes the connections that are signed in as a user with 4009, and tells how many those were. They may come back, by another
    /// signature: whoever signs for them has to refuse as well. What was signed before for other connections, and told by
    /// [`authorize_for`](Self::authorize_for), signs nobody in any more.
    pub fn terminate_connections(&self, user_id: &str) -> usize {
        self.shared.registry.end_user(user_id, TERMINATED)
    }

    /// Closes the connections that are subscribed to a channel with 4009, and tells how many those were: as
    /// [`terminate_connections`](Self::terminate_connections), where a user is known by a private channel.
    pub fn terminate_subscribers(&self, channel: &ChannelName) -> usize {
        self.shared.registry.end_subscribers(channel, TERMINATED)
    }

    /// Tells what an auth endpoint in the same process is about to sign for a connection: the channel, or for a sign-in the user's own one
    /// ([`ChannelName::of_user`]), and how long that is good, if it ends. Of several times the soonest stands. When the connection used it,
    /// and the time is over, the connection is closed with 4200, so that its client comes back at once and asks again. What is terminated
    /// in the meantime has to be signed anew.
    pub fn authorize_for(&self, socket_id: &SocketId, channel: &ChannelName, time: Option<Duration>) {
        let until = time.and_then(|time| Instant::now().checked_add(time));
        self.shared.registry.authorize(socket_id, channel, until);
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
        (self.shared.clock)().as_secs()
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
