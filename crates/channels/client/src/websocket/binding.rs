use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::ChannelName;

use super::Event;
use super::queue::{Item, Receiver, Sender};

/// Events by name, by channel, or all, of the channels that are subscribed to and of the signed-in user: a stream. It
/// subscribes to nothing by itself and does not keep its client alive; dropping it ends it.
#[derive(Debug)]
pub struct Binding(pub(super) Receiver<BoundEvent>);

/// What a [`Binding`] yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundEvent {
    /// An event was published.
    Event(Event),
    /// So many events were dropped here because nobody read them.
    Lagged(u64),
}

impl Binding {
    /// The next event; none once the client has ended.
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

/// What a binding wants: events of this channel, of this name; none is any.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) channel: Option<ChannelName>,
    pub(crate) event: Option<String>,
}

impl Wanted {
    fn fits(&self, event: &Event) -> bool {
        self.event.as_deref().is_none_or(|name| name == event.name())
            && self.channel.as_ref().is_none_or(|channel| channel == event.channel())
    }
}

/// The actor's end of all bindings.
#[derive(Debug, Default)]
pub(crate) struct Bindings(Vec<(Wanted, Sender<BoundEvent>)>);

impl Bindings {
    pub(crate) fn add(&mut self, wanted: Wanted, queue: Sender<BoundEvent>) {
        self.0.push((wanted, queue));
    }

    pub(crate) fn event(&self, event: &Event) {
        for (_, queue) in self.0.iter().filter(|(wanted, _)| wanted.fits(event)) {
            queue.event(BoundEvent::Event(event.clone()));
        }
    }

    /// Forgets those that are gone.
    pub(crate) fn sweep(&mut self) {
        self.0.retain(|(_, queue)| !queue.is_closed());
    }
}
