use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use internal_notifications_models::Change;
use internal_notifications_service::{Snapshot, Status};
use tokio::sync::mpsc;

use crate::outlets::Outlets;

/// What happened to the inbox, one thing at a time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// The state as a whole, on which the following updates build.
    Snapshot {
        /// The state.
        snapshot: Snapshot,
        /// Whether it stands in for changes that cannot be told: the server reset the replica, or this reader was too slow. Not set for the
        /// first state that a reader gets, and for the first snapshot after `init`.
        reset: bool,
    },
    /// A change was applied, live or by a catch-up.
    Change(Arc<Change>),
    /// The status changed.
    Status(Status),
}

/// Every change in exact order. It begins with a [`Update::Snapshot`] of the state as it is; what follows is everything since. Who reads
/// too slowly gets another snapshot, with `reset`, in place of what it missed. It ends with `dispose`.
///
/// The user's own writes that are under way, and older notifications that were loaded, show in snapshots alone.
#[derive(Debug)]
pub struct Updates {
    receiver: mpsc::Receiver<Update>,
    outlets: Weak<Outlets>,
}

impl Updates {
    pub(crate) fn of(outlets: &Arc<Outlets>) -> Self {
        let receiver = outlets.read(false).unwrap_or_else(|| mpsc::channel(1).1);
        Self { receiver, outlets: Arc::downgrade(outlets) }
    }

    /// The next update; none after `dispose`.
    pub async fn next(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        loop {
            let update = ready!(self.receiver.poll_recv(cx));
            let outlets = self.outlets.upgrade().filter(|outlets| !outlets.has_ended());
            if let (Some(update), Some(_)) = (update, &outlets) {
                return Poll::Ready(Some(update));
            }
            // Cut off for being too slow, unless everything has ended.
            match outlets.and_then(|outlets| outlets.read(true)) {
                Some(receiver) => self.receiver = receiver,
                None => return Poll::Ready(None),
            }
        }
    }
}
