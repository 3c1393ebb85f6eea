use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use internal_notifications_models::Change;
use internal_notifications_service::{Snapshot, Status};
use tokio::sync::mpsc;

use super::publisher::Publisher;

/// An update of the inbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// The whole state, on which the following updates build.
    Snapshot {
        /// The state.
        snapshot: Snapshot,
        /// Whether it replaces changes that cannot be listed, because the server reset the replica
        /// or this reader was too slow.
        ///
        /// Not set for the first state that a reader gets, nor for the first snapshot after `init`.
        reset: bool,
    },
    /// A change was applied, live or by a catch-up.
    Change(Arc<Change>),
    /// The status changed.
    Status(Status),
}

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
