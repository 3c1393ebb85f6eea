#[cfg(test)]
#[macro_use]
mod fault;
#[macro_use]
mod planted;

mod announcer;
#[cfg(test)]
mod cases;
mod catch_up;
mod event;
mod history;
#[cfg(test)]
mod model;
mod older_pages;
mod overlay;
mod query;
mod recent_changes;
mod record;
mod refusals;
mod window;
mod writes;

use std::sync::Arc;

use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, Head, InboxNotification, InboxPage, LiveEvent, NotificationId,
    Position, ResetReason, Stamp, Timestamp,
};

use crate::{InboxLog, RefusedWrite, Snapshot, Status};
use announcer::Announcer;
use catch_up::CatchUp;
pub use event::InboxEvent;
use history::History;
pub use older_pages::{MAX_WINDOW, WindowFull};
use overlay::Overlay;
pub use overlay::{PendingWrite, QueueFull, WriteRequest};
pub use query::InboxQuery;
use recent_changes::RecentChanges;
pub use record::InvalidRecord;
use window::Window;

/// The inbox of a user on the client: a replica that folds numbered changes.
///
/// A change is applied only if it comes next: its seq follows the last one, and its `prev` is the
/// tag of the last one. A change that the replica has already passed through is ignored. Anything
/// else means that a change was lost, or that the server has another history (a restored backup),
/// and starts a catch-up; only the answer to the catch-up decides. Live events that arrive during a
/// catch-up wait in a bounded buffer.
///
/// The caller has three tasks: pass on what arrives (the `on_…` methods), send the server the
/// [`next_query`](Self::next_query), one at a time, and handle the returned [`InboxEvent`]s in
/// order.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Inbox {
    window: Window,
    head: Head,
    history: History,
    recent_changes: RecentChanges,
    overlay: Overlay,
    announcer: Announcer,
    /// An older page that is newer than the replica, with its `before`. It waits for the catch-up.
    early_page: Option<(u64, InboxPage)>,
    /// The catch-up in progress, if any. Without one, live events are folded as they arrive.
    catch_up: Option<CatchUp>,
    is_loaded: bool,
    /// Refused writes that the app has not been told of yet.
    refusals: Vec<Arc<RefusedWrite>>,
}

/// The most notifications of one page, and of the first snapshot.
const PAGE: usize = 200;

/// A catch-up with more notifications than this is abandoned for a snapshot. Servers send one
/// earlier.
const FAR_BEHIND: usize = InboxLog::FAR_BEHIND as usize;

impl Inbox {
    /// Makes an empty replica for at most `window` notifications (at least 1). Its first query is
    /// for a snapshot.
    pub fn new(window: usize) -> Self {
        Self {
            window: Window::new(window.max(1)),
            head: Head::default(),
            history: History::default(),
            recent_changes: RecentChanges::default(),
            overlay: Overlay::default(),
            early_page: None,
            announcer: Announcer::new(window.max(1)),
            catch_up: Some(CatchUp::with_snapshot(None)),
            is_loaded: false,
            refusals: Vec::new(),
        }
    }

    /// Returns the notifications in the replica, newest first, with the user's unconfirmed writes
    /// applied.
    pub fn shown(&self) -> Vec<Arc<InboxNotification>> {
        self.overlay.apply_to(self.window.rows())
    }

    /// Returns the notifications in the replica, newest first, as of its [`head`](Self::head).
    pub fn rows(&self) -> impl Iterator<Item = &Arc<InboxNotification>> {
        self.window.rows()
    }

    /// Returns the seq from which on the replica has every notification; 0 if it has the oldest
    /// one.
    pub fn low(&self) -> u64 {
        self.window.low()
    }

    /// Returns the last change applied, and the pending count after it.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Returns the inbox as an app shows it.
    pub fn snapshot(&self, status: Status) -> Snapshot {
        Snapshot {
            notifications: self.shown().into(),
            pending: self.head.pending,
            position: self.head.position,
            has_older: self.low() > 0,
            unconfirmed: self.pending_writes(),
            status,
        }
    }

    /// Returns whether the first snapshot has arrived.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// Returns the query to send to the server. `None` if the replica believes that it missed
    /// nothing and its window is full.
    ///
    /// Send one query at a time. The result is the same until an answer arrives; after a failure,
    /// call this again.
    pub fn next_query(&self) -> Option<InboxQuery> {
        match &self.catch_up {
            Some(catch_up) if catch_up.needs_snapshot() => Some(InboxQuery::Snapshot),
            Some(_) => Some(InboxQuery::Changes { after: self.head.position }),
            None => self
                .window
                .room()
                .map(|room| InboxQuery::Older { before: self.window.low(), limit: room.min(PAGE) }),
        }
    }

    /// Returns whether the replica may have missed changes and waits for an answer.
    pub fn is_catching_up(&self) -> bool {
        self.catch_up.is_some()
    }

    /// Starts a catch-up, or repeats the one in progress. Call it when changes may have been
    /// missed: after subscribing, or when a queue of events overflowed.
    pub fn catch_up(&mut self) {
        match &mut self.catch_up {
            Some(catch_up) => catch_up.mark_dirty(),
            None => self.catch_up = Some(CatchUp::default()),
        }
    }

    /// Handles a live event.
    pub fn on_live(&mut self, event: LiveEvent) -> Vec<InboxEvent> {
        let mut events = Vec::new();
        match event {
            LiveEvent::Bare(notification) => events.extend(self.announcer.bare(notification)),
            event => {
                if let Some(catch_up) = &mut self.catch_up {
                    catch_up.push(event);
                } else if !self.fold(event, &mut events) {
                    self.catch_up = Some(CatchUp::default());
                }
            }
        }
        events
    }

    /// Handles a head of the server, from the answer to a position check or a write that was sent
    /// when the inbox was at `asked_at`.
    ///
    /// Starts a catch-up if the inbox has never been at that position, or if the head is older than
    /// `asked_at`.
    pub fn on_head(&mut self, asked_at: Position, head: Head) {
        let is_known = self.history.contains(head.position) && head.position.seq >= asked_at.seq;
        if !is_known {
            self.catch_up();
        }
    }

    /// Handles the answer to [`InboxQuery::Snapshot`].
    pub fn on_snapshot(&mut self, page: InboxPage) -> Vec<InboxEvent> {
        let mut events = Vec::new();
        let reason = match &self.catch_up {
            Some(catch_up) if catch_up.needs_snapshot() => catch_up.reason(),
            _ => return events,
        };
        self.replace(reason, page, &mut events);
        events
    }

    /// Handles the answer to [`InboxQuery::Changes`]. An answer to an earlier query is ignored.
    pub fn on_changes(&mut self, after: Position, answer: ChangesAnswer) -> Vec<InboxEvent> {
        let mut events = Vec::new();
        if self.next_query() != Some(InboxQuery::Changes { after }) {
            return events;
        }
        match answer {
            ChangesAnswer::Reset { reason, snapshot, .. } => {
                self.replace(Some(reason), snapshot, &mut events);
            }
            ChangesAnswer::Changes { changes, more, .. } => {
                match self.fold_page(changes, more, &mut events) {
                    Ok(true) => self.finish(&mut events),
                    Ok(false) => {}
                    Err(reason) => self.catch_up.get_or_insert_default().require_snapshot(reason),
                }
            }
        }
        events
    }

    /// Folds a page of a catch-up and returns whether it was the last one. An error is the reason
    /// why only a snapshot can help.
    fn fold_page(
        &mut self,
        changes: Vec<Change>,
        more: bool,
        events: &mut Vec<InboxEvent>,
    ) -> Result<bool, ResetReason> {
        if !are_contiguous(self.head.position, &changes) || (more && changes.is_empty()) {
            return Err(ResetReason::Other);
        }
        for change in changes {
            let gone = self.catch_up.get_or_insert_default().gone();
            match &change.kind {
                ChangeKind::Unknown => return Err(ResetReason::Other),
                ChangeKind::Gone { .. } if gone.len() >= FAR_BEHIND => return Err(ResetReason::Behind),
                ChangeKind::Gone { id } => drop(gone.insert(id.clone())),
                ChangeKind::Removed { ids, .. } => gone.retain(|id| !ids.contains(id)),
                _ => {}
            }
            self.apply(change, events);
        }
        let lacks_removals = !self.catch_up.get_or_insert_default().gone().is_empty();
        match more {
            true if self.announcer.waiting().len() > FAR_BEHIND => Err(ResetReason::Behind),
            false if lacks_removals => Err(ResetReason::Other),
            more => Ok(!more),
        }
    }

    fn replace(&mut self, reason: Option<ResetReason>, page: InboxPage, events: &mut Vec<InboxEvent>) {
        let low = self.window.replace(page.notifications, page.next.unwrap_or(0));
        self.head = page.head;
        self.history.restart(page.head.position);
        self.recent_changes.restart(page.head.position);
        self.early_page = None;
        self.catch_up.get_or_insert_default().gone().clear();
        events.push(InboxEvent::Replaced(reason.filter(|_| self.is_loaded)));
        let rows = self.window.rows().rev();
        let announcements = match self.is_loaded {
            false => self.announcer.first_snapshot(rows, page.head.position.seq),
            true => {
                let diverged = reason == Some(ResetReason::Diverged);
                self.announcer.later_snapshot(rows, low, page.head.position.seq, diverged)
            }
        };
        events.extend(announcements.into_iter().map(InboxEvent::Announce));
        self.is_loaded = true;
        self.fold_waiting(events);
    }

    fn finish(&mut self, events: &mut Vec<InboxEvent>) {
        self.announce(events);
        self.fold_waiting(events);
    }

    /// Folds the live events that waited, and ends the catch-up. It is repeated if an event was
    /// lost or does not fit.
    fn fold_waiting(&mut self, events: &mut Vec<InboxEvent>) {
        let Some(catch_up) = self.catch_up.take() else { return };
        let (waiting, mut is_dirty) = catch_up.into_waiting();
        for event in waiting {
            is_dirty |= !self.fold(event, events);
        }
        self.catch_up = is_dirty.then(CatchUp::default);
        if self.catch_up.is_none() {
            self.on_caught_up();
        }
    }

    fn on_caught_up(&mut self) {
        self.confirm_writes();
        self.overlay.resend();
        let page = self.early_page.take().filter(|(_, page)| self.history.contains(page.head.position));
        if let Some((before, page)) = page {
            self.merge(before, page);
        }
    }

    /// Removes writes from the overlay whose changes the replica has.
    fn confirm_writes(&mut self) {
        planted!(OverlayBySeq => return self.overlay.confirm(|at| at.seq <= self.head.position.seq));
        self.overlay.confirm(|position| self.history.contains(position));
    }

    /// Applies or ignores a live event. Returns false if it can do neither, which requires a
    /// catch-up.
    fn fold(&mut self, event: LiveEvent, events: &mut Vec<InboxEvent>) -> bool {
        let (stamp, change) = match event {
            LiveEvent::Change(change) => (change.stamp, Some(change)),
            LiveEvent::Thin(stamp) => (stamp, None),
            _ => return true,
        };
        planted!(OldIgnored => if stamp.seq <= self.head.position.seq { return true });
        if self.history.contains(stamp.position()) {
            return true;
        }
        let is_foldable =
            |change: &Change| !matches!(change.kind, ChangeKind::Gone { .. } | ChangeKind::Unknown);
        match change.filter(|change| is_foldable(change) && self.is_next(stamp)) {
            Some(change) => {
                self.apply(change, events);
                self.announce(events);
                true
            }
            None => false,
        }
    }

    fn is_next(&self, stamp: Stamp) -> bool {
        let at = self.head.position;
        planted!(GapAccepted => return stamp.seq > at.seq);
        planted!(TagNotCompared => return stamp.seq == at.seq + 1);
        stamp.follows(at)
    }

    /// Applies a change. All changes, live or by catch-up, go through here.
    fn apply(&mut self, change: Change, events: &mut Vec<InboxEvent>) {
        let at = change.stamp.at;
        self.head = Head::new(change.stamp.position(), self.pending_after(&change));
        self.history.push(self.head.position);
        self.recent_changes.push(&change);
        self.confirm_writes();
        match &change.kind {
            ChangeKind::Added { notification } => {
                let row = self.window.add((**notification).clone(), change.stamp.seq);
                self.announcer.waiting().insert(row, change.stamp.seq);
            }
            ChangeKind::Opened { ids } => self.mark(ids, Some(at)),
            ChangeKind::Unopened { ids } => self.mark(ids, None),
            ChangeKind::OpenedAll { through } => {
                self.window.open_through(*through, at);
                self.announcer.waiting().open_through(*through, at);
            }
            ChangeKind::Removed { ids, .. } => {
                for id in ids {
                    self.window.remove(id);
                    self.announcer.waiting().remove(id);
                }
            }
            _ => {}
        }
        events.push(InboxEvent::Applied(change));
    }

    fn pending_after(&self, change: &Change) -> u64 {
        planted!(CountAdded => return fault::counted(self.head.pending, &change.kind));
        change.stamp.pending
    }

    fn mark(&mut self, ids: &[NotificationId], opened_at: Option<Timestamp>) {
        for id in ids {
            self.window.mark(id, opened_at);
            self.announcer.waiting().mark(id, opened_at);
        }
    }

    fn announce(&mut self, events: &mut Vec<InboxEvent>) {
        let announcements = self.announcer.announce_waiting(self.head.position.seq);
        events.extend(announcements.into_iter().map(InboxEvent::Announce));
    }
}

/// Returns whether each change comes next after the one before it.
fn are_contiguous(mut position: Position, changes: &[Change]) -> bool {
    changes.iter().all(|change| {
        let follows = change.stamp.follows(position);
        position = change.stamp.position();
        follows
    })
}
