use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, future, stream};
use internal_notifications_service::{Announcement, Inbox, InboxEvent, Snapshot, Status};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::BroadcastStream;

use super::updates::Update;

/// Updates that may wait for one reader. A catch-up tells thousands of changes in a burst.
const UPDATES: usize = 8_192;

/// Where the state leaves the service: from one `dispose` to the next, so that nothing of a user reaches the next one's readers.
#[derive(Debug)]
pub(crate) struct Publisher {
    present: watch::Sender<Snapshot>,
    announcement_queue: usize,
    /// None once closed. Locked while anything changes or is told.
    readers: Mutex<Option<Readers>>,
    /// What a reader has not taken yet is not told any more.
    has_ended: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Readers {
    updates: Vec<mpsc::Sender<Update>>,
    /// From the first reader on: its queue takes its whole room at once.
    announcements: Option<broadcast::Sender<Announcement>>,
}

impl Publisher {
    /// So many announcements wait for a slow reader; the next power of two, in fact.
    pub(crate) fn new(announcement_queue: usize) -> Self {
        Self {
            present: watch::Sender::default(),
            announcement_queue,
            readers: Mutex::new(Some(Readers::default())),
            has_ended: Arc::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.present.borrow().clone()
    }

    pub(crate) fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        let mut present = self.present.subscribe();
        present.mark_changed();
        let has_ended = Arc::clone(&self.has_ended);
        stream::unfold(Some((present, has_ended)), |reader| async {
            let (mut present, has_ended) = reader?;
            present.changed().await.ok()?;
            let snapshot = present.borrow_and_update().clone();
            // The empty one is the last.
            let is_last = has_ended.load(Ordering::SeqCst) && snapshot == Snapshot::default();
            Some((snapshot, (!is_last).then_some((present, has_ended))))
        })
        .boxed()
    }

    pub(crate) fn announcements(&self) -> BoxStream<'static, Announcement> {
        let mut readers = self.lock();
        let Some(readers) = readers.as_mut() else { return stream::empty().boxed() };
        let queue = || broadcast::Sender::new(self.announcement_queue);
        let announcements = readers.announcements.get_or_insert_with(queue).subscribe();
        let has_ended = Arc::clone(&self.has_ended);
        BroadcastStream::new(announcements)
            .map(|announcement| announcement.unwrap_or(Announcement::Skipped))
            .take_while(move |_| future::ready(!has_ended.load(Ordering::SeqCst)))
            .boxed()
    }

    /// Returns when the status becomes live, though it is not now.
    pub(crate) async fn reconnected(&self) {
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
        readers.updates.push(sender);
        Some(receiver)
    }

    /// Tells what happened to the inbox, which is given as it is now if it may be another than before. Nothing once closed.
    pub(crate) fn publish(&self, events: Vec<InboxEvent>, inbox: Option<&Inbox>, status: Status) {
        let mut readers = self.lock();
        let Some(readers) = readers.as_mut() else { return };
        let before = self.snapshot();
        let status_update = (before.status != status).then(|| Update::Status(status.clone()));
        let present = match inbox {
            Some(inbox) => inbox.snapshot(status),
            None => with_status(before, status),
        };
        if inbox.is_some() || status_update.is_some() {
            if !readers.updates.is_empty() {
                let updates = updates(&events, &present).into_iter().chain(status_update);
                updates.for_each(|update| send(&mut readers.updates, &update));
            }
            self.show(present);
        }
        let Some(announcements) = &readers.announcements else { return };
        for event in events {
            if let InboxEvent::Announce(announcement) = event {
                let _ = announcements.send(announcement);
            }
        }
    }

    /// Changes the status alone. Nothing once closed.
    pub(crate) fn set_status(&self, status: Status) {
        let mut readers = self.lock();
        let Some(readers) = readers.as_mut() else { return };
        send(&mut readers.updates, &Update::Status(status.clone()));
        self.show(with_status(self.snapshot(), status));
    }

    /// Forgets the user; readers end.
    pub(crate) fn close(&self) {
        let mut readers = self.lock();
        self.has_ended.store(true, Ordering::SeqCst);
        *readers = None;
        self.present.send_replace(Snapshot::default());
    }

    /// Wakes readers if it is another.
    fn show(&self, snapshot: Snapshot) {
        self.present.send_if_modified(|present| {
            let is_another = present.position != snapshot.position || *present != snapshot;
            *present = snapshot;
            is_another
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Readers>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_status(mut snapshot: Snapshot, status: Status) -> Snapshot {
    snapshot.status = status;
    snapshot
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_task_that_still_runs_tells_nothing_once_it_is_closed() {
        let publisher = Publisher::new(16);
        let (mut snapshots, mut announcements) = (publisher.snapshots(), publisher.announcements());
        publisher.close();
        publisher.set_status(Status::Live);
        let told = vec![InboxEvent::Announce(Announcement::Skipped)];
        publisher.publish(told, Some(&Inbox::new(1)), Status::Live);
        assert_eq!(publisher.snapshot(), Snapshot::default());
        assert_eq!(snapshots.next().now_or_never(), Some(Some(Snapshot::default())));
        assert_eq!(snapshots.next().now_or_never(), Some(None));
        assert_eq!(announcements.next().now_or_never(), Some(None));
        assert_eq!(publisher.announcements().next().now_or_never(), Some(None));
    }

    #[test]
    fn a_queue_for_announcements_takes_room_once_there_is_a_reader() {
        let publisher = Publisher::new(16);
        let has_queue = || publisher.lock().as_ref().is_some_and(|readers| readers.announcements.is_some());
        assert!(!has_queue());
        drop(publisher.announcements());
        assert!(has_queue());
    }
}
