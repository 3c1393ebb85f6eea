use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, future};
use internal_notifications_service::{Announcement, Inbox, InboxEvent, Snapshot, Status};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use crate::Update;

/// Updates that may wait for one reader. A catch-up tells thousands of changes in a burst.
const UPDATES: usize = 8_192;

/// Where the state leaves the service: from one `dispose` to the next, so that nothing of a user reaches the next one's readers.
#[derive(Debug)]
pub(crate) struct Outlets {
    present: watch::Sender<Snapshot>,
    announcements: broadcast::Sender<Announcement>,
    /// None once closed. Locked while state and updates change together.
    readers: Mutex<Option<Vec<mpsc::Sender<Update>>>>,
    /// What a reader has not taken yet is not told any more.
    has_ended: Arc<AtomicBool>,
}

impl Outlets {
    /// So many announcements wait for a slow reader; the next power of two, in fact.
    pub(crate) fn new(announcement_queue: usize) -> Self {
        Self {
            present: watch::Sender::default(),
            announcements: broadcast::Sender::new(announcement_queue),
            readers: Mutex::new(Some(Vec::new())),
            has_ended: Arc::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.present.borrow().clone()
    }

    pub(crate) fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        WatchStream::new(self.present.subscribe()).boxed()
    }

    pub(crate) fn announcements(&self) -> BoxStream<'static, Announcement> {
        let has_ended = Arc::clone(&self.has_ended);
        BroadcastStream::new(self.announcements.subscribe())
            .map(|announcement| announcement.unwrap_or(Announcement::Skipped))
            .take_while(move |_| future::ready(!has_ended.load(Ordering::SeqCst)))
            .boxed()
    }

    /// Returns when the status becomes live, though it is not now.
    pub(crate) async fn back(&self) {
        let mut present = self.present.subscribe();
        let is_live = |snapshot: &Snapshot| snapshot.status == Status::Live;
        let was_down = present.wait_for(|snapshot| !is_live(snapshot)).await.is_ok();
        if !was_down || present.wait_for(is_live).await.is_err() {
            future::pending().await
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    /// A new reader of updates, who begins with the present state. None once closed.
    pub(crate) fn read(&self, reset: bool) -> Option<mpsc::Receiver<Update>> {
        let mut readers = self.lock();
        let readers = readers.as_mut()?;
        let (sender, receiver) = mpsc::channel(UPDATES);
        let _ = sender.try_send(Update::Snapshot { snapshot: self.snapshot(), reset });
        readers.push(sender);
        Some(receiver)
    }

    /// Tells what happened to the inbox, which is given as it is now if it is another than before.
    pub(crate) fn publish(&self, events: Vec<InboxEvent>, inbox: Option<&Inbox>, status: Status) {
        let mut readers = self.lock();
        let before = self.snapshot();
        let status_update = (before.status != status).then(|| Update::Status(status.clone()));
        let present = match inbox {
            Some(inbox) => Snapshot {
                notifications: inbox.shown().into(),
                pending: inbox.head().pending,
                position: inbox.head().position,
                has_older: inbox.low() > 0,
                unconfirmed: inbox.pending_writes(),
                status,
            },
            None => Snapshot { status, ..before },
        };
        if inbox.is_some() || status_update.is_some() {
            if let Some(readers) = readers.as_mut().filter(|readers| !readers.is_empty()) {
                let updates = updates(&events, &present).into_iter().chain(status_update);
                updates.for_each(|update| send(readers, &update));
            }
            self.present.send_replace(present);
        }
        drop(readers);
        for event in events {
            if let InboxEvent::Announce(announcement) = event {
                let _ = self.announcements.send(announcement);
            }
        }
    }

    /// Changes the status alone.
    pub(crate) fn set_status(&self, status: Status) {
        let mut readers = self.lock();
        if let Some(readers) = readers.as_mut() {
            send(readers, &Update::Status(status.clone()));
        }
        self.present.send_modify(|present| present.status = status);
    }

    /// Forgets the user; readers end.
    pub(crate) fn close(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
        *self.lock() = None;
        self.present.send_replace(Snapshot::default());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<mpsc::Sender<Update>>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The changes, one by one, up to a snapshot: what came with it or after it is in the present state already.
fn updates(events: &[InboxEvent], present: &Snapshot) -> Vec<Update> {
    let replaced = events.iter().position(|event| matches!(event, InboxEvent::Replaced(_)));
    let before = events.get(..replaced.unwrap_or(events.len())).unwrap_or_default();
    let changes = before.iter().filter_map(|event| match event {
        InboxEvent::Applied(change) => Some(Update::Change(Arc::new(change.clone()))),
        _ => None,
    });
    let snapshot = replaced.and_then(|at| events.get(at)).map(|event| Update::Snapshot {
        snapshot: present.clone(),
        reset: matches!(event, InboxEvent::Replaced(Some(_))),
    });
    changes.chain(snapshot).collect()
}

/// Readers that are gone, or too slow, are cut off.
fn send(readers: &mut Vec<mpsc::Sender<Update>>, update: &Update) {
    readers.retain(|reader| reader.try_send(update.clone()).is_ok());
}
