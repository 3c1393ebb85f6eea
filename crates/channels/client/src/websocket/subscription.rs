use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::ChannelName;
use tokio::sync::watch;

use super::queue::{self, Receiver};
use super::{Binding, ChannelEvent, Client, Members};
use crate::Error;

/// A subscriber of a channel: a stream of what happens on it. Several of one channel share one subscription at the
/// server; dropping the last of them unsubscribes.
///
/// The queue between connection and subscriber is bounded: who does not read loses events, and is told so by
/// [`ChannelEvent::Lagged`]. A subscriber keeps its client alive.
#[derive(Debug)]
pub struct Subscription {
    pub(super) channel: ChannelName,
    pub(super) events: Receiver<ChannelEvent>,
    pub(super) standing: watch::Receiver<Standing>,
    /// Keeps the actor alive.
    pub(super) client: Client,
}

/// What the actor keeps for one [`Subscription`].
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) events: queue::Sender<ChannelEvent>,
    pub(crate) standing: watch::Sender<Standing>,
}

/// What is known of a channel now, ahead of what its subscribers have read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) subscribed: bool,
    pub(crate) count: Option<u64>,
    pub(crate) members: Members,
}

impl Subscription {
    /// The channel.
    pub fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// The next event; none once the subscription or the client has ended.
    pub async fn next(&mut self) -> Option<ChannelEvent> {
        std::future::poll_fn(|cx| self.events.poll_recv(cx)).await
    }

    /// Whether the subscription stands now, which this stream may not have told yet.
    pub fn is_subscribed(&self) -> bool {
        self.standing.borrow().subscribed
    }

    /// Who is on a presence channel now: what the server said last, which this stream may not have told yet. Nobody on other
    /// channels, and while the subscription does not stand.
    pub fn members(&self) -> Members {
        self.standing.borrow().members.clone()
    }

    /// How many connections subscribe to the channel, as the server said last. Only servers that are set up so say it, and
    /// not of presence channels.
    pub fn subscription_count(&self) -> Option<u64> {
        self.standing.borrow().count
    }

    /// The channel's events with this name, in a stream of their own. It does not keep the channel subscribed.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) when the client has ended with its runtime.
    pub async fn bind(&self, event: impl Into<String>) -> Result<Binding, Error> {
        self.client.bind_to(Some(self.channel.clone()), Some(event.into())).await
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
