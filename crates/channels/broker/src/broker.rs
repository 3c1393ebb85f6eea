use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::{ChannelName, CloseCode, EventName, SocketId, published_event};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::close::Close;
use crate::error::Error;
use crate::shared::Shared;

/// A Pusher Channels server for one app. Clones are handles to the same server.
#[derive(Clone)]
pub struct Broker {
    pub(crate) shared: Arc<Shared>,
}

const TERMINATED: Close = Close::new(CloseCode::UNAUTHORIZED, "You got disconnected by the app");
const SHUTDOWN: Close = Close::new(CloseCode::RECONNECT, "The server is shutting down");

impl Broker {
    /// Publishes an event to all subscribers of a channel except the connection `except`, and
    /// returns the number of connections it was queued for.
    ///
    /// Never waits: a subscriber whose queue is full is disconnected. All subscribers receive the
    /// events of one channel in the order of the calls.
    ///
    /// # Errors
    /// Returns [`ErrorKind::DataTooLong`](crate::ErrorKind::DataTooLong) if `data` exceeds
    /// [`Limits::event_data`](crate::Limits::event_data).
    pub fn publish(
        &self,
        channel: &ChannelName,
        event: &EventName,
        data: &str,
        except: Option<&SocketId>,
    ) -> Result<usize, Error> {
        self.check_data(data)?;
        let registry = &self.shared.registry;
        if !channel.kind().is_cache() && !registry.is_occupied(channel) {
            return Ok(0);
        }
        let frame = Utf8Bytes::from(published_event(event.as_str(), channel.as_str(), data));
        let receivers = registry.publish(channel, &frame, except);
        self.shared.remove_expired_events();
        Ok(receivers)
    }

    /// Checks an event's data as [`publish`](Self::publish) does.
    pub(crate) fn check_data(&self, data: &str) -> Result<(), Error> {
        let limit = self.shared.limits.event_data;
        if data.len() > limit { Err(Error::data_too_long(limit)) } else { Ok(()) }
    }

    /// Closes all connections that are signed in as a user with code 4009, and returns their
    /// number.
    ///
    /// Clients may sign in again with a new signature, so the auth endpoint must reject them too.
    /// Signatures for this user that were [recorded](Self::record_authorization) and not used yet
    /// become invalid.
    pub fn terminate_connections(&self, user_id: &str) -> usize {
        self.shared.registry.close_user(user_id, TERMINATED)
    }

    /// Closes all connections that are subscribed to a channel with code 4009, and returns their
    /// number.
    ///
    /// This is [`terminate_connections`](Self::terminate_connections) for apps that identify a user
    /// by a private channel: recorded signatures for this channel become invalid too.
    pub fn terminate_subscribers(&self, channel: &ChannelName) -> usize {
        self.shared.registry.close_subscribers(channel, TERMINATED)
    }

    /// Records an authorization that an auth endpoint in this process is about to sign. The
    /// earliest expiry wins.
    ///
    /// `channel` is the channel to subscribe to, or for a sign-in the user's own channel
    /// ([`ChannelName::of_user`]). When an authorization that the connection has used expires, the
    /// connection is closed with code 4200, so that its client reconnects and authorizes again.
    /// Terminating a user or a channel's subscribers revokes earlier authorizations.
    pub fn record_authorization(
        &self,
        socket_id: &SocketId,
        channel: &ChannelName,
        expires_in: Option<Duration>,
    ) {
        let expires = expires_in.and_then(|time| Instant::now().checked_add(time));
        self.shared.registry.record_authorization(socket_id, channel, expires);
    }

    /// Returns the id of the app.
    pub fn app_id(&self) -> &str {
        &self.shared.app_id
    }

    /// Returns the number of established connections.
    pub fn connections(&self) -> usize {
        self.shared.registry.connections()
    }

    /// Waits until the broker can no longer do all of its work because one of its tasks has
    /// panicked, for example in the function that sends a webhook, and returns the name of the
    /// task. Waits for ever if that does not happen.
    pub fn failed(&self) -> impl Future<Output = &'static str> + Send + 'static {
        self.shared.tasks.failed()
    }

    /// Closes all connections with code 4200, so that clients reconnect at once, and answers
    /// further requests with status 503.
    ///
    /// Each connection first gets the events that were published to it. Waits until all connections
    /// have ended, at most twice [`Limits::close_timeout`](crate::Limits::close_timeout).
    pub async fn shutdown(&self) {
        self.shared.registry.close(SHUTDOWN);
        let mut tasks = self.shared.connection_tasks();
        // Once for the queued frames, once for the closing handshake.
        let limit = self.shared.limits.close_timeout.saturating_mul(2);
        if timeout(limit, tasks.wait_for(|tasks| *tasks == 0)).await.is_err() {
            let connections = *tasks.borrow();
            tracing::warn!(connections, "connections did not close in time");
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("app_id", &self.shared.app_id)
            .field("signer", &self.shared.signer)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pusher_signer::Signer;

    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let broker = Broker::new("1", Signer::new("app-key", "app-secret"));
        let text = format!("{broker:?} {:?}", Broker::builder("1", broker.shared.signer.clone()));
        assert!(text.contains("app-key") && !text.contains("app-secret"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn last_events_are_removed_when_they_expire_though_nothing_is_published_any_more() {
        let broker = Broker::new("1", Signer::new("app-key", "app-secret"));
        let (event, registry) = (EventName::new("e").unwrap(), &broker.shared.registry);
        for name in ["cache-a", "cache-b"] {
            broker.publish(&name.parse().unwrap(), &event, "1", None).unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_eq!(registry.cached_events(), 2);
        tokio::time::sleep(Duration::from_secs(30 * 60 - 90)).await;
        assert_eq!(registry.cached_events(), 1);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(registry.cached_events(), 0);
        broker.publish(&"cache-a".parse().unwrap(), &event, "1", None).unwrap();
        tokio::time::sleep(Duration::from_secs(31 * 60)).await;
        assert_eq!(registry.cached_events(), 0, "the task runs again");
    }
}
