use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use internal_notifications_models::{InboxNotification, InternalNotification, NotificationId, Timestamp};
use serde::{Deserialize, Serialize};

use super::InboxEvent;
use super::window::Window;
use crate::Announcement;

/// Decides what is announced: each notification at most once, in order.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Announcer {
    /// The notifications that the catch-up in progress has added. They are kept apart from the
    /// window of the inbox, so that those evicted from it are announced too.
    waiting: Window,
    /// The seq up to which everything has been announced.
    announced_to: u64,
    seen: Seen,
}

impl Announcer {
    pub(super) fn new(window: usize) -> Self {
        Self { waiting: Window::new(usize::MAX), announced_to: 0, seen: Seen::new(window) }
    }

    /// Restores an announcer that waits to announce nothing.
    pub(super) fn restored(announced: Announced, window: usize) -> Self {
        let mut seen = Seen::new(window);
        seen.mark_old(announced.old);
        for (id, was_announced, place) in announced.ids {
            seen.insert(&id, SeenId { was_announced, place });
        }
        Self { waiting: Window::new(usize::MAX), announced_to: announced.to, seen }
    }

    /// Returns what is to be remembered across restarts.
    pub(super) fn announced(&self) -> Announced {
        let ids = self.seen.order.iter().filter_map(|id| {
            let SeenId { was_announced, place } = self.seen.ids.get(id)?;
            Some((id.clone(), *was_announced, *place))
        });
        Announced { to: self.announced_to, old: self.seen.old, ids: ids.collect() }
    }

    pub(super) fn waiting_rows(&self) -> impl Iterator<Item = &Arc<InboxNotification>> {
        self.waiting.rows()
    }

    /// Returns the notifications that are announced at the end of the catch-up.
    pub(super) fn waiting(&mut self) -> &mut Window {
        &mut self.waiting
    }

    /// Announces the waiting notifications that are still pending. Everything up to `seq` is
    /// folded.
    pub(super) fn announce_waiting(&mut self, seq: u64) -> Vec<Announcement> {
        self.announced_to = seq;
        let waiting = self.waiting.take();
        waiting.filter_map(|row| self.announce(row)).collect()
    }

    fn announce(&mut self, row: Arc<InboxNotification>) -> Option<Announcement> {
        let is_repeat = self.seen.was_announced(&row.id);
        self.seen.add(&row, is_repeat || !row.opened);
        (!is_repeat && !row.opened).then_some(Announcement::Notification(row))
    }

    /// Handles the first snapshot, of which nothing is announced. Rows are oldest first, here and
    /// below.
    pub(super) fn first_snapshot<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Arc<InboxNotification>>,
        seq: u64,
    ) -> Vec<Announcement> {
        self.announced_to = seq;
        self.seen.mark_old(Place { added: seq, created_at: Timestamp::MIN });
        for row in rows {
            self.seen.mark_old(Place::of(row));
            self.seen.add(row, false);
        }
        Vec::new()
    }

    /// Handles a later snapshot, of which the new notifications are announced.
    ///
    /// A notification is new if it was added after everything that has been announced, unless that
    /// seq belongs to another history. It is also new if it is neither seen nor old: the server of
    /// a trimmed log cannot tell that the history is another one. If the snapshot is not the whole
    /// inbox, there may be more new notifications: below a page that is new down to its end, and
    /// anywhere in another history.
    pub(super) fn later_snapshot<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Arc<InboxNotification>>,
        low: u64,
        seq: u64,
        diverged: bool,
    ) -> Vec<Announcement> {
        planted!(AnnouncedTwice => if diverged { self.seen = Seen::new(0) });
        let announced_to = if diverged { u64::MAX } else { self.announced_to };
        let is_new = |row: &InboxNotification, seen: &Seen| row.added > announced_to || !seen.contains(row);
        drop(self.waiting.take());
        self.announced_to = seq;
        let mut rows = rows.peekable();
        let skipped = low > 0 && (diverged || rows.peek().is_some_and(|row| is_new(row, &self.seen)));
        let mut announcements = Vec::from_iter(skipped.then_some(Announcement::Skipped));
        for row in rows {
            if is_new(row, &self.seen) {
                announcements.extend(self.announce(Arc::clone(row)));
            } else {
                self.seen.add(row, false);
            }
        }
        announcements
    }

    /// Announces a notification that no inbox server stored: once by its id, if it has one.
    pub(super) fn bare(&mut self, notification: Box<InternalNotification>) -> Option<InboxEvent> {
        if let Some(id) = &notification.id {
            if self.seen.was_announced(id) {
                return None;
            }
            self.seen.add_bare(id);
        }
        Some(InboxEvent::Announce(Announcement::Bare(Arc::from(notification))))
    }
}

/// What is remembered of announcing across restarts.
#[derive(Serialize, Deserialize)]
pub(super) struct Announced {
    to: u64,
    old: Place,
    /// The ids in the order in which they were seen, with whether each was announced.
    ids: Vec<(NotificationId, bool, Option<Place>)>,
}

/// The newest ids that the replica has seen or announced, and the place up to which all others are
/// old.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
struct Seen {
    max: usize,
    order: VecDeque<NotificationId>,
    ids: HashMap<NotificationId, SeenId>,
    old: Place,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq))]
struct SeenId {
    was_announced: bool,
    /// The place in the inbox, unless it was never there.
    place: Option<Place>,
}

/// The place of a notification by seq and time. After a backup is restored, new notifications may
/// have low seqs, but they do not have early times.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(PartialEq))]
struct Place {
    added: u64,
    created_at: Timestamp,
}

impl Place {
    fn of(row: &InboxNotification) -> Self {
        Self { added: row.added, created_at: row.created_at }
    }
}

impl Seen {
    fn new(window: usize) -> Self {
        let old = Place { added: 0, created_at: Timestamp::MIN };
        Self { max: window.max(500) * 2, order: VecDeque::new(), ids: HashMap::new(), old }
    }

    /// Makes notifications old that are at or before a place, unless their ids are listed.
    fn mark_old(&mut self, place: Place) {
        self.old.added = self.old.added.max(place.added);
        self.old.created_at = self.old.created_at.max(place.created_at);
    }

    /// Returns whether a notification is listed or old.
    fn contains(&self, row: &InboxNotification) -> bool {
        let is_old = row.added <= self.old.added && row.created_at <= self.old.created_at;
        is_old || self.ids.contains_key(&row.id)
    }

    fn was_announced(&self, id: &NotificationId) -> bool {
        self.ids.get(id).is_some_and(|seen| seen.was_announced)
    }

    fn add(&mut self, row: &InboxNotification, was_announced: bool) {
        self.insert(&row.id, SeenId { was_announced, place: Some(Place::of(row)) });
    }

    fn add_bare(&mut self, id: &NotificationId) {
        self.insert(id, SeenId { was_announced: true, place: None });
    }

    fn insert(&mut self, id: &NotificationId, new: SeenId) {
        if let Some(seen) = self.ids.get_mut(id) {
            seen.was_announced |= new.was_announced;
            seen.place = new.place.or(seen.place);
            return;
        }
        self.ids.insert(id.clone(), new);
        self.order.push_back(id.clone());
        if self.order.len() > self.max {
            let oldest = self.order.pop_front().and_then(|oldest| self.ids.remove(&oldest));
            if let Some(place) = oldest.and_then(|seen| seen.place) {
                self.mark_old(place);
            }
        }
    }
}
