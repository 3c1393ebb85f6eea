use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::mpsc;

use super::publisher::Publisher;
use super::update::Update;

/// A stream of every change in exact order.
///
/// It begins with an [`Update::Snapshot`] of the present state, followed by everything that happens
/// from then on. A reader that is too slow gets another snapshot, with `reset`, in place of what it
/// missed. The stream ends with `dispose`.
///
/// Unconfirmed writes and older notifications that are loaded show only in snapshots.
#[derive(Debug)]
pub struct Updates {
    receiver: mpsc::Receiver<Update>,
    publisher: Weak<Publisher>,
}

impl Updates {
    pub(crate) fn of(publisher: &Arc<Publisher>) -> Self {
        let receiver = publisher.add_reader(false).unwrap_or_else(|| mpsc::channel(1).1);
        Self { receiver, publisher: Arc::downgrade(publisher) }
    }

    /// Returns the next update, or none after `dispose`. Cancel-safe.
    pub async fn next(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        loop {
            let update = ready!(self.receiver.poll_recv(cx));
            let publisher = self.publisher.upgrade().filter(|publisher| !publisher.is_closed());
            if let (Some(update), Some(_)) = (update, &publisher) {
                return Poll::Ready(Some(update));
            }
            // The channel ended because the reader was too slow, or because the service has ended.
            match publisher.and_then(|publisher| publisher.add_reader(true)) {
                Some(receiver) => self.receiver = receiver,
                None => return Poll::Ready(None),
            }
        }
    }
}
