use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::ChannelName;
use tokio::sync::mpsc;

use super::ChannelEvent;
use super::command::Command;
use super::queue::Receiver;

/// A subscriber of a channel: a stream of what happens on it. Several of one channel share one subscription at the
/// server; dropping the last of them unsubscribes.
///
/// The queue between connection and subscriber is bounded: who does not read loses events, and is told so by
/// [`ChannelEvent::Lagged`]. A subscriber keeps its client alive.
#[derive(Debug)]
pub struct Subscription {
    pub(super) channel: ChannelName,
    pub(super) events: Receiver,
    /// Keeps the actor alive.
    pub(super) _commands: mpsc::Sender<Command>,
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
}

impl Stream for Subscription {
    type Item = ChannelEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(cx)
    }
}
