use std::sync::Arc;

use pusher_protocol::{ChannelKind, ChannelName, InvalidChannelName, SocketId};
use serde::Serialize;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::binding::Filter;
use super::client_event::{ClientEvent, ClientEventData};
use super::command::Command;
use super::queue;
use super::subscription::{ChannelState, Subscriber};
use super::{Binding, ClientBuilder, ConnectionState, Errors, States, Subscription, User};
use crate::{Error, ErrorKind};

/// A client of a Channels server that reconnects by itself and subscribes again.
///
/// A cheap handle: clones share one connection, which ends with the last of its clients and
/// subscriptions. Channel names can be given as `&str`, `String` or [`ChannelName`].
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) state: watch::Receiver<ConnectionState>,
    pub(super) errors: broadcast::WeakSender<Error>,
    /// Notified when a subscription is dropped.
    pub(super) dropped: Arc<Notify>,
    pub(super) queue_size: usize,
    pub(super) can_authorize: bool,
    pub(super) can_authenticate: bool,
}

impl Client {
    /// Creates a builder for the app with this key.
    pub fn builder(app_key: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(app_key.into())
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> ConnectionState {
        self.state.borrow().clone()
    }

    /// Returns a stream of the connection's state: the current one, then each change.
    pub fn states(&self) -> States {
        States(WatchStream::new(self.state.clone()))
    }

    /// Waits for a connection and returns its socket id.
    ///
    /// # Errors
    /// Returns the reason if the server permanently refuses, and [`ErrorKind::Closed`] if the
    /// client is not connecting.
    pub async fn connected(&self) -> Result<SocketId, Error> {
        let mut state = self.state.clone();
        let settled = |state: &ConnectionState| {
            use ConnectionState::{Connected, Disconnected, Failed, Initialized};
            matches!(state, Connected { .. } | Failed { .. } | Disconnected | Initialized)
        };
        match &*state.wait_for(settled).await.map_err(|_| ended())? {
            ConnectionState::Connected { socket_id } => Ok(socket_id.clone()),
            ConnectionState::Failed { reason } => Err(reason.clone()),
            _ => Err(Error::new(ErrorKind::Closed, "the client is not connecting: call connect")),
        }
    }

    /// Returns a stream of errors that end nothing: error events of the server, and authorizations
    /// that failed and are retried.
    pub fn errors(&self) -> Errors {
        let receiver = match self.errors.upgrade() {
            Some(sender) => sender.subscribe(),
            None => broadcast::channel(1).1,
        };
        Errors(BroadcastStream::new(receiver))
    }

    /// Connects, after [`disconnect`](Self::disconnect) or a refusal, or without waiting for the
    /// next attempt. Does nothing while connected or connecting.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn connect(&self) -> Result<(), Error> {
        self.call(Command::Connect).await
    }

    /// Closes the connection and does not reconnect. Subscriptions stay for the next
    /// [`connect`](Self::connect).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn disconnect(&self) -> Result<(), Error> {
        self.call(Command::Disconnect).await
    }

    /// Pings the server now; call this when the network may have changed. If no answer comes within
    /// the [pong timeout](ClientBuilder::pong_timeout), the connection is replaced. If the client
    /// waits for its next attempt, it makes it now.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn ping_now(&self) -> Result<(), Error> {
        self.call(Command::PingNow).await
    }

    /// Subscribes to a channel, now or as soon as there is a connection. Subscribers of one channel
    /// share one subscription at the server; a later one receives
    /// [`Subscribed`](crate::ChannelEvent::Subscribed) at once if it is confirmed.
    ///
    /// # Errors
    /// - Returns [`ErrorKind::ChannelName`] if the name is invalid.
    /// - Returns [`ErrorKind::Configuration`] if the channel needs an
    ///   [authorizer](ClientBuilder::authorizer) and there is none.
    /// - Returns [`ErrorKind::Unsupported`] for `#server-to-user-` channels, to which
    ///   [`sign_in`](Self::sign_in) subscribes.
    /// - Returns the reason if the server permanently refused the connection, and
    ///   [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn subscribe(
        &self,
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
    ) -> Result<Subscription, Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            return Err(reason.clone());
        }
        let kind = channel.kind();
        if kind == ChannelKind::ServerToUser {
            let message = "a user's channel is subscribed by Client::sign_in";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        if kind.needs_authorization() && !self.can_authorize {
            let message = format!("{channel} needs an authorizer: set one with ClientBuilder::authorizer");
            return Err(Error::configuration(message));
        }
        let (events_sender, events) = queue::bounded(self.queue_size, self.dropped.clone());
        let (state_sender, state) = watch::channel(ChannelState::default());
        let subscriber = Subscriber { events: events_sender, state: state_sender };
        self.send(Command::Subscribe(channel.clone(), subscriber)).await?;
        Ok(Subscription { channel, events, state, client: self.clone() })
    }

    /// Ends all subscriptions of a channel: their streams end, and the client unsubscribes from the
    /// server.
    ///
    /// # Errors
    /// Returns [`ErrorKind::ChannelName`] if the name is invalid, and [`ErrorKind::Closed`] if the
    /// client has ended with its runtime.
    pub async fn unsubscribe(
        &self,
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
    ) -> Result<(), Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        self.call(|done| Command::Unsubscribe(channel, done)).await
    }

    /// Signs in, now or as soon as there is a connection, and again on each new connection while
    /// any [`User`] exists. Several of them share one sign-in.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`] without a [user
    /// authenticator](ClientBuilder::user_authenticator), the reason if the server permanently
    /// refused the connection, and [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn sign_in(&self) -> Result<User, Error> {
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            return Err(reason.clone());
        }
        if !self.can_authenticate {
            let message =
                "a sign-in needs a user authenticator: set one with ClientBuilder::user_authenticator";
            return Err(Error::configuration(message));
        }
        let (sender, events) = queue::bounded(self.queue_size, self.dropped.clone());
        self.send(Command::SignIn(sender)).await?;
        Ok(User { events, _client: self.clone() })
    }

    /// Sends a client event to the other subscribers of a private or presence channel. The server
    /// does not confirm it; if it rejects the event, the error arrives in [`errors`](Self::errors).
    ///
    /// # Errors
    /// If an error is returned, nothing was sent.
    ///
    /// - Returns [`ErrorKind::ChannelName`] or [`ErrorKind::EventName`] if a name is invalid; the
    ///   event's name must begin with `client-`.
    /// - Returns [`ErrorKind::PublicChannel`] or [`ErrorKind::EncryptedChannel`] for a channel
    ///   without client events.
    /// - Returns [`ErrorKind::NotConnected`], or [`ErrorKind::NotSubscribed`] until the server has
    ///   confirmed the subscription.
    /// - Returns [`ErrorKind::RateLimited`] above the [limit](ClientBuilder::client_event_limit),
    ///   and [`ErrorKind::Limit`] for more than 10,240 bytes of data.
    /// - Returns [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn trigger(
        &self,
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
        event: &str,
        data: impl Into<String>,
    ) -> Result<(), Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        self.send_event(channel, event, ClientEventData::Text(data.into())).await
    }

    /// Sends a client event whose data is written as JSON, as pusher-js sends it; see
    /// [`trigger`](Self::trigger), which sends a text.
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger), and [`ErrorKind::Data`] if the data cannot be written as
    /// JSON.
    pub async fn trigger_json(
        &self,
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
        event: &str,
        data: &(impl Serialize + Sync + ?Sized),
    ) -> Result<(), Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        self.send_event(channel, event, ClientEventData::json(data)?).await
    }

    async fn send_event(
        &self,
        channel: ChannelName,
        event: &str,
        data: ClientEventData,
    ) -> Result<(), Error> {
        let event = ClientEvent::new(channel, event, data)?;
        self.call(|done| Command::Trigger(event, done)).await?
    }

    /// Returns a stream of the events with this name, of all subscribed channels and the signed-in
    /// user.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Closed`] if the client has ended with its runtime.
    pub async fn bind(&self, event: impl Into<String>) -> Result<Binding, Error> {
        self.bind_to(None, Some(event.into())).await
    }

    /// Returns a stream of all events of all subscribed channels and the signed-in user.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_global(&self) -> Result<Binding, Error> {
        self.bind_to(None, None).await
    }

    pub(super) async fn bind_to(
        &self,
        channel: Option<ChannelName>,
        event: Option<String>,
    ) -> Result<Binding, Error> {
        let (sender, events) = queue::bounded(self.queue_size, self.dropped.clone());
        self.send(Command::Bind(Filter { channel, event }, sender)).await?;
        Ok(Binding(events))
    }

    /// Sends a command and waits for its result.
    async fn call<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (done, result) = oneshot::channel();
        self.send(command(done)).await?;
        result.await.map_err(|_| ended())
    }

    async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| ended())
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the client has ended with its runtime")
}
