use std::sync::Arc;

use pusher_protocol::{ChannelKind, ChannelName, SocketId};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::binding::Wanted;
use super::command::{ClientEvent, Command};
use super::queue;
use super::subscription::{Standing, Subscriber};
use super::{Binding, ClientBuilder, ConnectionState, Errors, States, Subscription, User};
use crate::{Error, ErrorKind};

/// A connection to a Channels server that comes back by itself, and its subscriptions.
///
/// A cheap handle: clones share one connection, which ends with the last of its clients and subscriptions.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) state: watch::Receiver<ConnectionState>,
    pub(super) errors: broadcast::WeakSender<Error>,
    /// Told when a subscription is dropped.
    pub(super) dropped: Arc<Notify>,
    pub(super) queue_size: usize,
    pub(super) can_authorize: bool,
    pub(super) can_authenticate: bool,
}

impl Client {
    /// Sets up a client for the app with this key.
    pub fn builder(app_key: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(app_key.into())
    }

    /// The connection's state.
    pub fn state(&self) -> ConnectionState {
        self.state.borrow().clone()
    }

    /// The connection's state, now and whenever it changes.
    pub fn states(&self) -> States {
        States(WatchStream::new(self.state.clone()))
    }

    /// Waits for a connection and gives its id.
    ///
    /// # Errors
    /// The reason when the server refuses for good; [`ErrorKind::Closed`] when nothing is being connected.
    pub async fn connected(&self) -> Result<SocketId, Error> {
        let mut state = self.state.clone();
        let settled = |state: &ConnectionState| {
            use ConnectionState::{Connected, Disconnected, Failed, Initialized};
            matches!(state, Connected { .. } | Failed { .. } | Disconnected | Initialized)
        };
        match &*state.wait_for(settled).await.map_err(|_| ended())? {
            ConnectionState::Connected { socket_id } => Ok(socket_id.clone()),
            ConnectionState::Failed { reason } => Err(reason.clone()),
            _ => Err(Error::new(ErrorKind::Closed, "the client is not connecting")),
        }
    }

    /// What the server complains of that concerns the connection, or that names no channel; and authorizations that failed
    /// for now.
    pub fn errors(&self) -> Errors {
        let receiver = match self.errors.upgrade() {
            Some(sender) => sender.subscribe(),
            None => broadcast::channel(1).1,
        };
        Errors(BroadcastStream::new(receiver))
    }

    /// Connects after [`disconnect`](Self::disconnect) or a refusal; cuts the wait for the next attempt short. Does nothing
    /// while connected or connecting.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn connect(&self) -> Result<(), Error> {
        self.ask(Command::Connect).await
    }

    /// Closes the connection and stays without one. Subscriptions are kept for the next [`connect`](Self::connect).
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn disconnect(&self) -> Result<(), Error> {
        self.ask(Command::Disconnect).await
    }

    /// To be called when the network may have changed: asks the server for a sign of life now, and replaces the connection when
    /// none comes within the [pong time-out](ClientBuilder::pong_timeout); cuts the wait for the next attempt short.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn ping_now(&self) -> Result<(), Error> {
        self.ask(Command::PingNow).await
    }

    /// Subscribes to a channel; at once, or when there is a connection. Any number of subscribers of one channel share one
    /// subscription at the server; a later one gets [`Subscribed`](crate::ChannelEvent::Subscribed) at once when it stands.
    ///
    /// # Errors
    /// The reason after the server refused the connection for good; [`ErrorKind::Configuration`] for a channel that needs
    /// an authorizer when there is none; [`ErrorKind::Unsupported`] for `#server-to-user-` channels, which
    /// [`sign_in`](Self::sign_in) subscribes to; [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn subscribe(&self, channel: ChannelName) -> Result<Subscription, Error> {
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            return Err(reason.clone());
        }
        let kind = channel.kind();
        if kind == ChannelKind::ServerToUser {
            return Err(Error::new(ErrorKind::Unsupported, "a user's channel comes with the sign-in"));
        }
        if kind.needs_authorization() && !self.can_authorize {
            return Err(Error::new(ErrorKind::Configuration, "the channel needs an authorizer"));
        }
        let (sender, events) = queue::bounded(self.queue_size, self.dropped.clone());
        let (sender, standing) = {
            let (now, standing) = watch::channel(Standing::default());
            (Subscriber { events: sender, standing: now }, standing)
        };
        self.send(Command::Subscribe(channel.clone(), sender)).await?;
        Ok(Subscription { channel, events, standing, client: self.clone() })
    }

    /// Ends all subscriptions of a channel, whoever holds them: their streams end, and the server is told.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), Error> {
        self.ask(|done| Command::Unsubscribe(channel.clone(), done)).await
    }

    /// Signs in, at once or when there is a connection, and on every later one while the [`User`] is held. Any number of them
    /// share one sign-in.
    ///
    /// # Errors
    /// The reason after the server refused the connection for good; [`ErrorKind::Configuration`] without a
    /// [user authenticator](ClientBuilder::user_authenticator); [`ErrorKind::Closed`] when the client has ended with its
    /// runtime.
    pub async fn sign_in(&self) -> Result<User, Error> {
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            return Err(reason.clone());
        }
        if !self.can_authenticate {
            return Err(Error::new(ErrorKind::Configuration, "signing in needs a user authenticator"));
        }
        let (sender, events) = queue::bounded(self.queue_size, self.dropped.clone());
        self.send(Command::SignIn(sender)).await?;
        Ok(User { events, _client: self.clone() })
    }

    /// Sends a client event: to the other subscribers of a private or presence channel, by way of the server, which says
    /// nothing of it when it took it. What it refuses comes in [`errors`](Self::errors).
    ///
    /// # Errors
    /// Nothing was sent. [`ErrorKind::EventName`] for a name that does not begin with `client-`;
    /// [`ErrorKind::PublicChannel`] and [`ErrorKind::EncryptedChannel`] for channels without client events;
    /// [`ErrorKind::NotConnected`]; [`ErrorKind::NotSubscribed`] until the server has confirmed the subscription;
    /// [`ErrorKind::RateLimited`] over the [limit](ClientBuilder::client_event_limit); [`ErrorKind::Limit`] for more than
    /// 10 KB of data; [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn trigger(
        &self,
        channel: &ChannelName,
        event: &str,
        data: impl Into<String>,
    ) -> Result<(), Error> {
        let event = ClientEvent::new(channel, event, data.into())?;
        self.ask(|done| Command::Trigger(event, done)).await?
    }

    /// The events with this name, of all channels that are subscribed to and of the signed-in user.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn bind(&self, event: impl Into<String>) -> Result<Binding, Error> {
        self.bind_to(None, Some(event.into())).await
    }

    /// All events of all channels that are subscribed to and of the signed-in user.
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
        self.send(Command::Bind(Wanted { channel, event }, sender)).await?;
        Ok(Binding(events))
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (done, wait) = oneshot::channel();
        self.send(command(done)).await?;
        wait.await.map_err(|_| ended())
    }

    async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| ended())
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the client has ended")
}
