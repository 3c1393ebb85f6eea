//! The streams of a service, for authors of custom services.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use crate::{Announcement, ServiceError, Snapshot, Status};

/// Publishes snapshots and announcements from one `dispose` of a service to the next.
///
/// It implements contract 16 to 19: `snapshots` yields the present snapshot and then the newest one
/// after each change, a slow reader of `announcements` gets [`Announcement::Skipped`], and
/// [`restart`](Self::restart) ends all streams, so that nothing of one user reaches the readers of
/// the next. Clones publish to the same readers. With the last clone the streams end too.
///
/// ```
/// use std::sync::{Mutex, PoisonError};
///
/// use internal_notifications_service::{BoxStream, Inbox, InboxPublisher, Snapshot, Status};
///
/// struct MyService {
///     publisher: Mutex<InboxPublisher>,
/// }
///
/// impl MyService {
///     fn publisher(&self) -> InboxPublisher {
///         self.publisher.lock().unwrap_or_else(PoisonError::into_inner).clone()
///     }
///
///     fn snapshots(&self) -> BoxStream<'static, Snapshot> {
///         self.publisher().snapshots()
///     }
///
///     fn on_change(&self, inbox: &Inbox) {
///         self.publisher().publish(inbox.snapshot(Status::Live), []);
///     }
///
///     fn dispose(&self) {
///         self.publisher.lock().unwrap_or_else(PoisonError::into_inner).restart();
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct InboxPublisher(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    present: watch::Sender<Snapshot>,
    announcement_queue: usize,
    /// `None` once closed. Locked while anything is published.
    announcements: Mutex<Option<Announcements>>,
    /// Set before the streams end: announcements that a reader has not taken yet are dropped.
    is_closed: Arc<AtomicBool>,
}

/// The queue, from the first reader on: it allocates all of its room at once.
#[derive(Debug, Default)]
struct Announcements(Option<broadcast::Sender<Announcement>>);

impl InboxPublisher {
    /// Makes a publisher whose snapshot is empty and idle.
    ///
    /// A reader of announcements may be `announcement_queue` announcements behind, rounded up to a
    /// power of two, before it gets [`Announcement::Skipped`].
    pub fn new(announcement_queue: usize) -> Self {
        Self(Arc::new(Shared {
            present: watch::Sender::default(),
            announcement_queue: announcement_queue.max(1),
            announcements: Mutex::new(Some(Announcements::default())),
            is_closed: Arc::default(),
        }))
    }

    /// Returns the present snapshot.
    pub fn snapshot(&self) -> Snapshot {
        self.0.present.borrow().clone()
    }

    /// Returns a stream of the present snapshot and of the newest one after each change. Its last
    /// item is the empty snapshot that `restart` leaves.
    pub fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        let mut present = self.0.present.subscribe();
        present.mark_changed();
        let is_closed = Arc::clone(&self.0.is_closed);
        stream::unfold(Some((present, is_closed)), |reader| async {
            let (mut present, is_closed) = reader?;
            present.changed().await.ok()?;
            let (snapshot, is_last) = {
                let snapshot = present.borrow_and_update();
                (snapshot.clone(), is_closed.load(Ordering::SeqCst))
            };
            Some((snapshot, (!is_last).then_some((present, is_closed))))
        })
        .fuse()
        .boxed()
    }

    /// Returns a stream of the announcements from now on.
    pub fn announcements(&self) -> BoxStream<'static, Announcement> {
        let mut announcements = self.0.announcements();
        let Some(Announcements(queue)) = announcements.as_mut() else { return stream::empty().boxed() };
        let new = || broadcast::Sender::new(self.0.announcement_queue);
        let reader = (queue.get_or_insert_with(new).subscribe(), Arc::clone(&self.0.is_closed));
        stream::unfold(reader, |(mut queue, is_closed)| async {
            let announcement = match queue.recv().await {
                Ok(announcement) => announcement,
                Err(RecvError::Lagged(_)) => Announcement::Skipped,
                Err(RecvError::Closed) => return None,
            };
            (!is_closed.load(Ordering::SeqCst)).then_some((announcement, (queue, is_closed)))
        })
        .fuse()
        .boxed()
    }

    /// Returns whether a stream of announcements exists.
    pub fn has_announcement_readers(&self) -> bool {
        let announcements = self.0.announcements();
        let queue = announcements.as_ref().and_then(|Announcements(queue)| queue.as_ref());
        queue.is_some_and(|queue| queue.receiver_count() > 0)
    }

    /// Publishes a snapshot, unless it equals the present one, and then announcements. Does nothing
    /// once closed.
    pub fn publish(&self, snapshot: Snapshot, announcements: impl IntoIterator<Item = Announcement>) {
        self.update(
            |present| {
                let is_new = *present != snapshot;
                *present = snapshot;
                is_new
            },
            announcements,
        );
    }

    /// Publishes the present snapshot with another status. Does nothing once closed.
    pub fn set_status(&self, status: Status) {
        self.update(
            |present| {
                let is_new = present.status != status;
                present.status = status;
                is_new
            },
            [],
        );
    }

    /// Changes the present snapshot, and wakes readers if `change` returns true.
    fn update(
        &self,
        change: impl FnOnce(&mut Snapshot) -> bool,
        announcements: impl IntoIterator<Item = Announcement>,
    ) {
        let open = self.0.announcements();
        let Some(Announcements(queue)) = open.as_ref() else { return };
        self.0.present.send_if_modified(change);
        if let Some(queue) = queue {
            announcements.into_iter().for_each(|announcement| drop(queue.send(announcement)));
        }
    }

    /// Ends all streams, leaves them an empty snapshot, and starts again for new readers.
    ///
    /// Clones made before stay closed: a task that still runs publishes nothing anymore.
    pub fn restart(&mut self) {
        self.close();
        *self = Self::new(self.0.announcement_queue);
    }

    /// Ends all streams for good.
    pub fn close(&self) {
        self.0.close();
    }

    /// Ends all streams for good, and leaves them the present snapshot, with this failure: for a
    /// service whose task has ended unexpectedly. Does nothing once closed.
    pub fn fail(&self, error: ServiceError) {
        self.0.end(|present| present.status = Status::Failed(error));
    }

    /// Returns whether this publisher has been closed.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn announcements(&self) -> MutexGuard<'_, Option<Announcements>> {
        self.announcements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.end(|present| *present = Snapshot::default());
        // After a failure the snapshot still has the user's notifications.
        self.present.send_if_modified(|present| {
            let is_left = *present != Snapshot::default();
            *present = Snapshot::default();
            is_left
        });
    }

    fn end(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut announcements = self.announcements();
        if announcements.take().is_some() {
            self.present.send_modify(|present| {
                self.is_closed.store(true, Ordering::SeqCst);
                change(present);
            });
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{ServiceError, ServiceErrorKind};

    fn pending(count: u64) -> Snapshot {
        let mut snapshot = Snapshot::new(Status::Live);
        snapshot.pending = count;
        snapshot
    }

    /// Returns what a stream yields without waiting.
    fn ready<T>(stream: &mut BoxStream<'static, T>) -> Vec<T> {
        std::iter::from_fn(|| stream.next().now_or_never().flatten()).collect()
    }

    /// Returns whether a stream has ended.
    fn has_ended<T>(stream: &mut BoxStream<'static, T>) -> bool {
        matches!(stream.next().now_or_never(), Some(None))
    }

    #[test]
    fn a_reader_gets_the_present_snapshot_and_then_the_newest() {
        let publisher = InboxPublisher::new(4);
        publisher.publish(pending(1), []);
        let mut snapshots = publisher.snapshots();
        assert_eq!(ready(&mut snapshots), [pending(1)]);
        publisher.publish(pending(2), []);
        publisher.publish(pending(3), []);
        assert_eq!(ready(&mut snapshots), [pending(3)]);
        publisher.publish(pending(3), []);
        assert_eq!(ready(&mut snapshots), []);
        publisher.set_status(Status::Live);
        assert_eq!(ready(&mut snapshots), []);
        let error = ServiceError::new(ServiceErrorKind::Unavailable, "no route");
        publisher.set_status(Status::Offline(error.clone()));
        let mut offline = pending(3);
        offline.status = Status::Offline(error);
        assert_eq!(ready(&mut snapshots), [offline.clone()]);
        assert_eq!(publisher.snapshot(), offline);
        assert!(!has_ended(&mut snapshots));
    }

    #[test]
    fn a_slow_reader_of_announcements_skips() {
        let publisher = InboxPublisher::new(4);
        let (mut slow, mut fast) = (publisher.announcements(), publisher.announcements());
        let bare = |text: &str| {
            Announcement::Bare(Arc::new(internal_notifications_models::InternalNotification::new(text)))
        };
        for text in ["1", "2", "3", "4", "5"] {
            publisher.publish(pending(1), [bare(text)]);
            assert_eq!(ready(&mut fast), [bare(text)]);
        }
        assert_eq!(ready(&mut slow), [Announcement::Skipped, bare("2"), bare("3"), bare("4"), bare("5")]);
    }

    #[test]
    fn restart_ends_all_streams_and_starts_again() {
        let mut publisher = InboxPublisher::new(4);
        publisher.publish(pending(1), []);
        let (mut snapshots, mut announcements) = (publisher.snapshots(), publisher.announcements());
        publisher.publish(pending(2), [Announcement::Skipped]);
        let still_running = publisher.clone();
        publisher.restart();
        assert_eq!(ready(&mut snapshots), [Snapshot::default()]);
        assert!(has_ended(&mut snapshots) && has_ended(&mut announcements));

        let (mut snapshots, mut announcements) = (publisher.snapshots(), publisher.announcements());
        still_running.publish(pending(3), [Announcement::Skipped]);
        still_running.set_status(Status::Live);
        assert!(still_running.is_closed() && !publisher.is_closed());
        assert_eq!(still_running.snapshot(), Snapshot::default());
        assert_eq!((ready(&mut snapshots), ready(&mut announcements)), (vec![Snapshot::default()], vec![]));
        let mut late = (still_running.snapshots(), still_running.announcements());
        assert_eq!(ready(&mut late.0), [Snapshot::default()]);
        assert!(has_ended(&mut late.0) && has_ended(&mut late.1));

        publisher.publish(pending(4), [Announcement::Skipped]);
        assert_eq!(ready(&mut snapshots), [pending(4)]);
        assert_eq!(ready(&mut announcements), [Announcement::Skipped]);
    }

    #[test]
    fn a_failure_is_the_last_snapshot_and_ends_all_streams() {
        let publisher = InboxPublisher::new(4);
        publisher.publish(pending(1), []);
        let (mut snapshots, mut announcements) = (publisher.snapshots(), publisher.announcements());
        let error = ServiceError::new(ServiceErrorKind::NotInitialized, "the task has ended");
        publisher.fail(error.clone());
        let mut failed = pending(1);
        failed.status = Status::Failed(error);
        assert_eq!(ready(&mut snapshots), [failed.clone()]);
        assert!(has_ended(&mut snapshots) && has_ended(&mut announcements));
        publisher.set_status(Status::Live);
        let mut late = publisher.snapshots();
        assert_eq!(ready(&mut late), [failed]);
        assert!(has_ended(&mut late) && publisher.is_closed());
        publisher.close();
        publisher.fail(ServiceError::new(ServiceErrorKind::NotInitialized, "too late"));
        assert_eq!(publisher.snapshot(), Snapshot::default());
    }

    #[test]
    fn streams_end_with_the_last_clone() {
        let publisher = InboxPublisher::new(4);
        let (mut snapshots, mut announcements) = (publisher.snapshots(), publisher.announcements());
        let clone = publisher.clone();
        publisher.publish(pending(1), [Announcement::Skipped]);
        drop(publisher);
        assert_eq!(ready(&mut snapshots), [pending(1)]);
        assert_eq!(ready(&mut announcements), [Announcement::Skipped]);
        drop(clone);
        assert_eq!(ready(&mut snapshots), [Snapshot::default()]);
        assert!(has_ended(&mut snapshots) && has_ended(&mut announcements));
    }

    #[test]
    fn the_queue_takes_room_from_its_first_reader_on() {
        let publisher = InboxPublisher::new(4);
        let has_queue = || publisher.0.announcements().as_ref().is_some_and(|queue| queue.0.is_some());
        publisher.publish(pending(1), [Announcement::Skipped]);
        assert!(!has_queue());
        drop(publisher.announcements());
        assert!(has_queue());
    }
}
