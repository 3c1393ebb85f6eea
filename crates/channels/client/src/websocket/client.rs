use std::sync::Arc;

use pusher_protocol::{ChannelKind, ChannelName, SocketId};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::command::Command;
use super::queue;
use super::{ClientBuilder, ConnectionState, Errors, States, Subscription};
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

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) -> Result<(), Error> {
        let (done, wait) = oneshot::channel();
        self.commands.send(command(done)).await.map_err(|_| ended())?;
        wait.await.map_err(|_| ended())
    }

    /// Subscribes to a channel; at once, or when there is a connection. Any number of subscribers of one channel share one
    /// subscription at the server; a later one gets [`Subscribed`](crate::ChannelEvent::Subscribed) at once when it stands.
    ///
    /// # Errors
    /// The reason after the server refused the connection for good; [`ErrorKind::Configuration`] for a channel that needs
    /// an authorizer when there is none; [`ErrorKind::Unsupported`] for encrypted and user channels;
    /// [`ErrorKind::Closed`] when the client has ended with its runtime.
    pub async fn subscribe(&self, channel: ChannelName) -> Result<Subscription, Error> {
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            return Err(reason.clone());
        }
        let kind = channel.kind();
        if kind.is_encrypted() || kind == ChannelKind::ServerToUser {
            return Err(Error::new(ErrorKind::Unsupported, "encrypted and user channels are not supported"));
        }
        if kind.needs_authorization() && !self.can_authorize {
            return Err(Error::new(ErrorKind::Configuration, "the channel needs an authorizer"));
        }
        let (sender, events) = queue::bounded(self.queue_size, self.dropped.clone());
        self.commands.send(Command::Subscribe(channel.clone(), sender)).await.map_err(|_| ended())?;
        Ok(Subscription { channel, events, _commands: self.commands.clone() })
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the client has ended")
}
