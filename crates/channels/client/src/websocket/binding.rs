use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::ChannelName;

use super::Event;
use super::queue::{Item, Receiver, Sender};

/// A stream of events by name, by channel, or of all events of the subscribed channels and the
/// signed-in user. It subscribes to nothing, and does not keep its client alive.
#[derive(Debug)]
pub struct Binding(pub(super) Receiver<BoundEvent>);

/// An event of a [`Binding`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundEvent {
    /// An event was published.
    Event(Event),
    /// This many events were dropped because the stream was not read.
    Lagged(u64),
}

impl Binding {
    /// Returns the next event, or `None` once the client has ended.
    pub async fn next(&mut self) -> Option<BoundEvent> {
        std::future::poll_fn(|cx| self.0.poll_recv(cx)).await
    }
}

impl Stream for Binding {
    type Item = BoundEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

impl Item for BoundEvent {
    fn lagged(count: u64) -> Self {
        Self::Lagged(count)
    }

    fn lag(&mut self) -> Option<&mut u64> {
        match self {
            Self::Lagged(count) => Some(count),
            Self::Event(_) => None,
        }
    }

    fn is_notice(&self) -> bool {
        false
    }
}

/// The events of a binding: those of this channel and name; `None` matches any.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) channel: Option<ChannelName>,
    pub(crate) event: Option<String>,
}

impl Filter {
    fn matches(&self, event: &Event) -> bool {
        self.event.as_deref().is_none_or(|name| name == event.name())
            && self.channel.as_ref().is_none_or(|channel| channel == event.channel())
    }
}

/// The actor's end of all bindings.
#[derive(Debug, Default)]
pub(crate) struct Bindings(Vec<(Filter, Sender<BoundEvent>)>);

impl Bindings {
    pub(crate) fn add(&mut self, filter: Filter, queue: Sender<BoundEvent>) {
        self.0.push((filter, queue));
    }

    /// Sends an event to the bindings that match it.
    pub(crate) fn deliver(&self, event: &Event) {
        for (_, queue) in self.0.iter().filter(|(filter, _)| filter.matches(event)) {
            queue.event(BoundEvent::Event(event.clone()));
        }
    }

    /// Removes bindings that were dropped.
    pub(crate) fn remove_dropped(&mut self) {
        self.0.retain(|(_, queue)| !queue.is_closed());
    }
}
