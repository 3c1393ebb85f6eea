use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::ChannelName;
use serde::Serialize;
use tokio::sync::watch;

use super::queue::{self, Receiver};
use super::{Binding, ChannelEvent, Client, Members};
use crate::{Error, ErrorKind};

/// A subscriber of a channel: a stream of its events. Subscribers of one channel share one
/// subscription at the server; dropping the last of them unsubscribes.
///
/// The queue is bounded: a subscriber that does not read loses events, and receives
/// [`ChannelEvent::Lagged`] in their place. A subscriber keeps its client alive.
#[derive(Debug)]
pub struct Subscription {
    pub(super) channel: ChannelName,
    pub(super) events: Receiver<ChannelEvent>,
    pub(super) state: watch::Receiver<ChannelState>,
    /// Keeps the actor alive.
    pub(super) client: Client,
}

/// The actor's end of a [`Subscription`].
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) events: queue::Sender<ChannelEvent>,
    pub(crate) state: watch::Sender<ChannelState>,
}

/// The current state of a channel, which may be ahead of the events that a subscriber has read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelState {
    pub(crate) subscribed: bool,
    /// Why the subscription was refused.
    pub(crate) refused: Option<Error>,
    pub(crate) count: Option<u64>,
    pub(crate) members: Members,
}

impl Subscription {
    /// Returns the channel.
    pub fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// Returns the next event, or `None` once the subscription or the client has ended.
    pub async fn next(&mut self) -> Option<ChannelEvent> {
        std::future::poll_fn(|cx| self.events.poll_recv(cx)).await
    }

    /// Returns whether the server has confirmed the subscription. The stream may not have reached
    /// that event yet.
    pub fn is_subscribed(&self) -> bool {
        self.state.borrow().subscribed
    }

    /// Returns the current members of a presence channel. The stream may not have reached their
    /// events yet. Empty for other channels, and while not subscribed.
    pub fn members(&self) -> Members {
        self.state.borrow().members.clone()
    }

    /// Returns the latest number of connections subscribed to the channel. Servers send it only if
    /// configured to, and not for presence channels.
    pub fn subscription_count(&self) -> Option<u64> {
        self.state.borrow().count
    }

    /// Returns a stream of the channel's events with this name. It does not keep the channel
    /// subscribed.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Closed`] if the client has ended with its
    /// runtime.
    pub async fn bind(&self, event: impl Into<String>) -> Result<Binding, Error> {
        self.client.bind_to(Some(self.channel.clone()), Some(event.into())).await
    }

    /// Waits until the channel is subscribed. Returns at once if it is. The stream's events are not
    /// consumed.
    ///
    /// # Errors
    /// Returns the reason if the subscription or the connection is refused, and
    /// [`ErrorKind::Closed`] once the subscription or the client has ended. Without a connection it
    /// waits; see [`Client::states`].
    pub async fn subscribed(&self) -> Result<(), Error> {
        let mut state = self.state.clone();
        let decided = state.wait_for(|state| state.subscribed || state.refused.is_some()).await;
        match decided {
            Ok(state) => state.refused.clone().map_or(Ok(()), Err),
            Err(_) => Err(Error::new(ErrorKind::Closed, "the subscription has ended")),
        }
    }

    /// Sends a client event with JSON data on the channel; see [`Client::trigger_json`].
    ///
    /// # Errors
    /// As [`Client::trigger_json`].
    pub async fn trigger_json(
        &self,
        event: &str,
        data: &(impl Serialize + Sync + ?Sized),
    ) -> Result<(), Error> {
        self.client.trigger_json(&self.channel, event, data).await
    }

    /// Sends a client event on the channel; see [`Client::trigger`].
    ///
    /// # Errors
    /// As [`Client::trigger`].
    pub async fn trigger(&self, event: &str, data: impl Into<String>) -> Result<(), Error> {
        self.client.trigger(&self.channel, event, data).await
    }
}

impl Stream for Subscription {
    type Item = ChannelEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(cx)
    }
}
