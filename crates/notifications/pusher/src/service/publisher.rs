use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, future};
use internal_notifications_service::{
    Announcement, Inbox, InboxEvent, InboxPublisher, ServiceError, ServiceErrorKind, Snapshot, Status,
};
use tokio::sync::mpsc;

use super::update::Update;

/// How many updates a slow reader may leave unread. A catch-up sends thousands of changes at once.
const UPDATES: usize = 8_192;

/// Publishes the state of the service as snapshots, announcements and updates.
///
/// There is one from each `dispose` to the next, so that no reader sees two users.
#[derive(Debug)]
pub(crate) struct Publisher {
    inbox: InboxPublisher,
    /// The readers of updates; none once closed. Locked while anything is published.
    readers: Mutex<Option<Vec<mpsc::Sender<Update>>>>,
}

impl Publisher {
    pub(crate) fn new(announcement_queue: usize) -> Self {
        Self { inbox: InboxPublisher::new(announcement_queue), readers: Mutex::new(Some(Vec::new())) }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.inbox.snapshot()
    }

    pub(crate) fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.inbox.snapshots()
    }

    pub(crate) fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.inbox.announcements()
    }

    /// Returns whether anybody reads announcements.
    pub(crate) fn has_announcement_readers(&self) -> bool {
        self.inbox.has_announcement_readers()
    }

    /// Returns when the status changes from another one to live.
    pub(crate) async fn reconnected(&self) {
        let mut snapshots = self.snapshots();
        let mut was_down = false;
        while let Some(snapshot) = snapshots.next().await {
            let is_live = snapshot.status == Status::Live;
            if is_live && was_down {
                return;
            }
            was_down |= !is_live;
        }
        future::pending().await
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    /// Adds a reader of updates, which begins with the present state. None once closed.
    pub(crate) fn add_reader(&self, reset: bool) -> Option<mpsc::Receiver<Update>> {
        let mut readers = self.readers();
        let readers = readers.as_mut()?;
        let (sender, receiver) = mpsc::channel(UPDATES);
        let _ = sender.try_send(Update::Snapshot { snapshot: self.snapshot(), reset });
        readers.push(sender);
        Some(receiver)
    }

    /// Publishes events of the inbox, and the inbox itself if it may have changed. Does nothing
    /// once closed.
    pub(crate) fn publish(&self, events: Vec<InboxEvent>, inbox: Option<&Inbox>, status: Status) {
        let mut readers = self.readers();
        let Some(readers) = readers.as_mut() else { return };
        let mut snapshot = self.snapshot();
        let status_update = (snapshot.status != status).then(|| Update::Status(status.clone()));
        match inbox {
            Some(inbox) => snapshot = inbox.snapshot(status),
            None => snapshot.status = status,
        }
        if !readers.is_empty() && (inbox.is_some() || status_update.is_some()) {
            let updates = updates(&events, &snapshot).into_iter().chain(status_update);
            updates.for_each(|update| send(readers, &update));
        }
        let announcements = events.into_iter().filter_map(|event| match event {
            InboxEvent::Announce(announcement) => Some(announcement),
            _ => None,
        });
        self.inbox.publish(snapshot, announcements);
    }

    /// Publishes the status. Does nothing once closed.
    pub(crate) fn set_status(&self, status: Status) {
        let mut readers = self.readers();
        let Some(readers) = readers.as_mut() else { return };
        send(readers, &Update::Status(status.clone()));
        self.inbox.set_status(status);
    }

    /// Ends all streams, and publishes the empty snapshot.
    pub(crate) fn close(&self) {
        let mut readers = self.readers();
        self.inbox.close();
        *readers = None;
    }

    /// Ends all streams, and publishes this failure.
    fn fail(&self, error: ServiceError) {
        let mut readers = self.readers();
        self.inbox.fail(error);
        *readers = None;
    }

    fn readers(&self) -> MutexGuard<'_, Option<Vec<mpsc::Sender<Update>>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends all streams when it is dropped, unless the publisher is closed or the guard is dismissed:
/// the task of the service has ended with its runtime, or by a panic.
pub(crate) struct EndGuard(Option<Arc<Publisher>>);

impl EndGuard {
    pub(crate) fn new(publisher: &Arc<Publisher>) -> Self {
        Self(Some(Arc::clone(publisher)))
    }

    pub(crate) fn dismiss(mut self) {
        self.0 = None;
    }
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        if let Some(publisher) = &self.0 {
            let detail = "the service's task has ended, with its runtime or by a panic; init starts it again";
            publisher.fail(ServiceError::new(ServiceErrorKind::NotInitialized, detail));
        }
    }
}

/// Returns the changes up to a snapshot, which contains everything after it.
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

/// Sends an update to all readers. Drops those that are gone or too slow.
fn send(readers: &mut Vec<mpsc::Sender<Update>>, update: &Update) {
    readers.retain(|reader| reader.try_send(update.clone()).is_ok());
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_closed_publisher_publishes_nothing() {
        let publisher = Publisher::new(16);
        let (mut snapshots, mut announcements) = (publisher.snapshots(), publisher.announcements());
        let mut updates = publisher.add_reader(false).unwrap();
        assert!(matches!(updates.try_recv(), Ok(Update::Snapshot { .. })));
        publisher.close();
        publisher.set_status(Status::Live);
        let events = vec![InboxEvent::Announce(Announcement::Skipped)];
        publisher.publish(events, Some(&Inbox::new(1)), Status::Live);
        assert_eq!(publisher.snapshot(), Snapshot::default());
        assert_eq!(snapshots.next().now_or_never(), Some(Some(Snapshot::default())));
        assert_eq!(snapshots.next().now_or_never(), Some(None));
        assert_eq!(announcements.next().now_or_never(), Some(None));
        assert_eq!(publisher.announcements().next().now_or_never(), Some(None));
        assert_eq!(updates.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert!(publisher.add_reader(false).is_none());
    }
}
