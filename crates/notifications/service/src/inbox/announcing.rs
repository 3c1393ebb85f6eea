use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use internal_notifications_models::{InboxNotification, InternalNotification, NotificationId, Timestamp};

use super::InboxEvent;
use super::window::Window;
use crate::Announcement;

/// What is announced, and what was: each notification at most once, in order.
#[derive(Clone, Debug)]
pub(super) struct Announcing {
    /// Added by a catch-up that is not over; apart from the window of the inbox, so that an evicted one is announced too.
    waiting: Window,
    /// Up to this seq, what was to be announced is.
    settled: u64,
    known: Known,
}

impl Announcing {
    pub(super) fn new(window: usize) -> Self {
        Self { waiting: Window::new(usize::MAX), settled: 0, known: Known::new(window) }
    }

    /// What may be announced when the catch-up is over.
    pub(super) fn waiting(&mut self) -> &mut Window {
        &mut self.waiting
    }

    /// Everything up to `seq` is folded: announces what is still pending of it.
    pub(super) fn settle(&mut self, seq: u64) -> Vec<Announcement> {
        self.settled = seq;
        let waiting = self.waiting.take();
        waiting.filter_map(|row| self.announce(row)).collect()
    }

    fn announce(&mut self, row: Arc<InboxNotification>) -> Option<Announcement> {
        let announced = self.known.announced(&row.id);
        self.known.remember(&row, announced || !row.opened);
        (!announced && !row.opened).then_some(Announcement::Notification(row))
    }

    /// The first snapshot: nothing of it is announced. Rows come oldest first, here and below.
    pub(super) fn first<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Arc<InboxNotification>>,
        seq: u64,
    ) -> Vec<Announcement> {
        self.settled = seq;
        self.known.forget_through(Place { added: seq, created_at: Timestamp::MIN });
        for row in rows {
            self.known.forget_through(Place::of(row));
            self.known.remember(row, false);
        }
        Vec::new()
    }

    /// A later snapshot. New is what was added since announcing was settled, unless that is a seq of another history; and what is neither
    /// remembered nor old: a trimmed log cannot tell another history. Where the snapshot is not the whole inbox, there may
    /// be more: below a page that is new to its end, and anywhere in another history.
    pub(super) fn again<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Arc<InboxNotification>>,
        low: u64,
        seq: u64,
        diverged: bool,
    ) -> Vec<Announcement> {
        or_fault!(AnnouncedTwice => if diverged { self.known = Known::new(0) });
        let settled = if diverged { u64::MAX } else { self.settled };
        let is_new = |row: &InboxNotification, known: &Known| row.added > settled || !known.holds(row);
        drop(self.waiting.take());
        self.settled = seq;
        let mut rows = rows.peekable();
        let skipped = low > 0 && (diverged || rows.peek().is_some_and(|row| is_new(row, &self.known)));
        let mut announcements = Vec::from_iter(skipped.then_some(Announcement::Skipped));
        for row in rows {
            if is_new(row, &self.known) {
                announcements.extend(self.announce(Arc::clone(row)));
            } else {
                self.known.remember(row, false);
            }
        }
        announcements
    }

    /// A notification that no inbox server stored: announced once by its id, if it has one.
    pub(super) fn bare(&mut self, notification: Box<InternalNotification>) -> Option<InboxEvent> {
        if let Some(id) = &notification.id {
            if self.known.announced(id) {
                return None;
            }
            self.known.remember_bare(id);
        }
        Some(InboxEvent::Announce(Announcement::Bare(Arc::from(notification))))
    }
}

/// The ids that the replica has seen or announced, the newest of them; and where all others are old.
#[derive(Clone, Debug)]
struct Known {
    most: usize,
    order: VecDeque<NotificationId>,
    ids: HashMap<NotificationId, Seen>,
    old: Place,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    announced: bool,
    /// Its place, unless it was never in the inbox.
    place: Option<Place>,
}

/// Where a notification stood, by seq and by time: after a restored backup, new ones may have low seqs, but not early times.
#[derive(Clone, Copy, Debug)]
struct Place {
    added: u64,
    created_at: Timestamp,
}

impl Place {
    fn of(row: &InboxNotification) -> Self {
        Self { added: row.added, created_at: row.created_at }
    }
}

impl Known {
    fn new(window: usize) -> Self {
        let old = Place { added: 0, created_at: Timestamp::MIN };
        Self { most: window.max(500) * 2, order: VecDeque::new(), ids: HashMap::new(), old }
    }

    /// What is not remembered and stands here or before is old.
    fn forget_through(&mut self, place: Place) {
        self.old.added = self.old.added.max(place.added);
        self.old.created_at = self.old.created_at.max(place.created_at);
    }

    /// Whether a notification is remembered, or old.
    fn holds(&self, row: &InboxNotification) -> bool {
        let is_old = row.added <= self.old.added && row.created_at <= self.old.created_at;
        is_old || self.ids.contains_key(&row.id)
    }

    fn announced(&self, id: &NotificationId) -> bool {
        self.ids.get(id).is_some_and(|seen| seen.announced)
    }

    fn remember(&mut self, row: &InboxNotification, announced: bool) {
        self.insert(&row.id, Seen { announced, place: Some(Place::of(row)) });
    }

    fn remember_bare(&mut self, id: &NotificationId) {
        self.insert(id, Seen { announced: true, place: None });
    }

    fn insert(&mut self, id: &NotificationId, seen: Seen) {
        if let Some(before) = self.ids.get_mut(id) {
            let announced = before.announced || seen.announced;
            *before = Seen { announced, place: seen.place.or(before.place) };
            return;
        }
        self.ids.insert(id.clone(), seen);
        self.order.push_back(id.clone());
        if self.order.len() > self.most {
            let oldest = self.order.pop_front().and_then(|oldest| self.ids.remove(&oldest));
            if let Some(place) = oldest.and_then(|seen| seen.place) {
                self.forget_through(place);
            }
        }
    }
}
