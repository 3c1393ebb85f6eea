#[cfg(test)]
#[macro_use]
mod fault;
#[macro_use]
mod or_fault;

mod announcing;
#[cfg(test)]
mod cases;
mod catch_up;
#[cfg(test)]
mod model;
mod older;
mod overlay;
mod passed;
mod recent;
mod window;
mod writes;

use std::sync::Arc;

use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, Head, InboxNotification, InboxPage, LiveEvent, NotificationId,
    Position, ResetReason, Stamp, Timestamp,
};

use crate::{Announcement, InboxLog, Snapshot, Status};
use announcing::Announcing;
use catch_up::CatchUp;
use overlay::Overlay;
pub use overlay::PendingWrite;
use passed::Passed;
use recent::Recent;
use window::Window;

/// One user's inbox on the client: a fold of numbered changes.
///
/// A change is applied if and only if it is the very next one: its seq follows and its `prev` is the tag of the last. What is known to be passed
/// is ignored. Anything else means that something was lost, or that the server's history is another one (a restored backup), and starts a
/// catch-up, whose answer alone decides. Live events that come meanwhile wait, boundedly.
///
/// Whoever drives it does three things: it hands over what comes (`on_…`), asks the server for what the inbox [`wants`](Self::wants), one
/// question at a time, and does what the returned [`InboxEvent`]s say.
#[derive(Clone, Debug)]
pub struct Inbox {
    window: Window,
    head: Head,
    passed: Passed,
    recent: Recent,
    overlay: Overlay,
    announcing: Announcing,
    /// An older page, with the `before` it was asked with, that is newer than the replica.
    held: Option<(u64, InboxPage)>,
    /// What is being caught up; none while live events are folded as they come.
    catch_up: Option<CatchUp>,
    /// Whether a first snapshot has come.
    loaded: bool,
}

/// What the inbox needs from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask {
    /// The newest notifications and the head: [`Inbox::on_snapshot`].
    Snapshot,
    /// The changes after this position: [`Inbox::on_changes`].
    Changes {
        /// The position that the inbox is at.
        after: Position,
    },
    /// The notifications added before this seq: [`Inbox::on_older`].
    Older {
        /// Exclusive.
        before: u64,
        /// How many, at most.
        limit: usize,
    },
}

/// The most notifications that a replica can hold.
pub const MAX_WINDOW: usize = 5_000;

/// The replica holds as many notifications as it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no more than {MAX_WINDOW} notifications can be held")]
pub struct WindowFull;

/// Too many writes wait for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many writes wait for the server")]
pub struct QueueFull;

/// The most notifications of one page, and of a first snapshot.
const PAGE: usize = 200;

/// A catch-up that brings more than this is given up for a snapshot; a server gives one by itself before that.
const FAR_BEHIND: usize = InboxLog::FAR_BEHIND as usize;

/// What happened to the inbox, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InboxEvent {
    /// A change was applied, live or by a catch-up.
    Applied(Change),
    /// The state was replaced by a snapshot; the first one has no reason.
    Replaced(Option<ResetReason>),
    /// To be shown as it comes.
    Announce(Announcement),
    /// A write of the user's own was refused, and is no longer shown.
    RolledBack(PendingWrite),
}

impl Inbox {
    /// A replica that holds at most `window` notifications (at least one). It wants its first snapshot.
    pub fn new(window: usize) -> Self {
        Self {
            window: Window::new(window.max(1)),
            head: Head::default(),
            passed: Passed::default(),
            recent: Recent::default(),
            overlay: Overlay::default(),
            held: None,
            announcing: Announcing::new(window.max(1)),
            catch_up: Some(CatchUp::with_snapshot(None)),
            loaded: false,
        }
    }

    /// The notifications that it holds, newest first, with the user's own writes that are under way.
    pub fn shown(&self) -> Vec<Arc<InboxNotification>> {
        self.overlay.over(self.window.rows())
    }

    /// The notifications that it holds, newest first, as the server last told them.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<InboxNotification>> {
        self.window.rows()
    }

    /// The seq from which every notification in the inbox is held; 0 when it holds the oldest.
    pub fn low(&self) -> u64 {
        self.window.low()
    }

    /// The last change applied, and the count that came with it.
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

    /// Whether a first snapshot has come.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// What to ask the server for now. `None` while the inbox believes that it missed nothing, and holds what it may.
    ///
    /// Ask one question at a time. If it fails, ask what this says then.
    pub fn wants(&self) -> Option<Ask> {
        match &self.catch_up {
            Some(catch_up) if catch_up.wants_snapshot() => Some(Ask::Snapshot),
            Some(_) => Some(Ask::Changes { after: self.head.position }),
            None => self
                .window
                .missing()
                .map(|missing| Ask::Older { before: self.window.low(), limit: missing.min(PAGE) }),
        }
    }

    /// Whether it may have missed something, and waits for an answer that tells.
    pub fn is_catching_up(&self) -> bool {
        self.catch_up.is_some()
    }

    /// Something may have been missed (a new subscription, a queue that overflowed): catch up.
    pub fn catch_up(&mut self) {
        match &mut self.catch_up {
            Some(catch_up) => catch_up.mark_dirty(),
            None => self.catch_up = Some(CatchUp::default()),
        }
    }

    /// A live event came.
    pub fn on_live(&mut self, event: LiveEvent) -> Vec<InboxEvent> {
        let mut events = Vec::new();
        match event {
            LiveEvent::Bare(notification) => events.extend(self.announcing.bare(notification)),
            event => {
                if let Some(catch_up) = &mut self.catch_up {
                    catch_up.keep(event);
                } else if !self.fold(event, &mut events) {
                    self.catch_up = Some(CatchUp::default());
                }
            }
        }
        events
    }

    /// The server told its head, in answer to a question asked when the inbox was at `asked_at` (a position check, or a write).
    ///
    /// A head that differs in seq or tag starts a catch-up, unless the inbox has passed it since; so does one older than `asked_at`.
    pub fn on_head(&mut self, asked_at: Position, head: Head) {
        let passed = self.passed.holds(head.position) && head.position.seq >= asked_at.seq;
        if !passed {
            self.catch_up();
        }
    }

    /// The answer to [`Ask::Snapshot`].
    pub fn on_snapshot(&mut self, page: InboxPage) -> Vec<InboxEvent> {
        let mut events = Vec::new();
        let reason = match &self.catch_up {
            Some(catch_up) if catch_up.wants_snapshot() => catch_up.reason(),
            _ => return events,
        };
        self.replace(reason, page, &mut events);
        events
    }

    /// The answer to [`Ask::Changes`] asked at `after`. One that was asked at another position than the present one is dropped.
    pub fn on_changes(&mut self, after: Position, answer: ChangesAnswer) -> Vec<InboxEvent> {
        let mut events = Vec::new();
        if self.wants() != Some(Ask::Changes { after }) {
            return events;
        }
        match answer {
            ChangesAnswer::Reset { reason, snapshot, .. } => {
                self.replace(Some(reason), snapshot, &mut events)
            }
            ChangesAnswer::Changes { changes, more, .. } => {
                match self.fold_page(changes, more, &mut events) {
                    Ok(true) => self.finish(&mut events),
                    Ok(false) => {}
                    Err(reason) => self.catch_up.get_or_insert_default().want_snapshot(reason),
                }
            }
        }
        events
    }

    /// Folds a page of a catch-up; says whether it was the last. An error is why only a snapshot can help.
    fn fold_page(
        &mut self,
        changes: Vec<Change>,
        more: bool,
        events: &mut Vec<InboxEvent>,
    ) -> Result<bool, ResetReason> {
        if !contiguous(self.head.position, &changes) || (more && changes.is_empty()) {
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
        let rests_on_gone = !self.catch_up.get_or_insert_default().gone().is_empty();
        match more {
            true if self.announcing.waiting().len() > FAR_BEHIND => Err(ResetReason::Behind),
            false if rests_on_gone => Err(ResetReason::Other),
            more => Ok(!more),
        }
    }

    fn replace(&mut self, reason: Option<ResetReason>, page: InboxPage, events: &mut Vec<InboxEvent>) {
        let low = self.window.replace(page.notifications, page.next.unwrap_or(0));
        self.head = page.head;
        self.passed.restart(page.head.position);
        self.recent.restart(page.head.position);
        self.held = None;
        self.catch_up.get_or_insert_default().gone().clear();
        events.push(InboxEvent::Replaced(reason.filter(|_| self.loaded)));
        let rows = self.window.rows().rev();
        let announcements = match self.loaded {
            false => self.announcing.first(rows, page.head.position.seq),
            true => {
                let diverged = reason == Some(ResetReason::Diverged);
                self.announcing.again(rows, low, page.head.position.seq, diverged)
            }
        };
        events.extend(announcements.into_iter().map(InboxEvent::Announce));
        self.loaded = true;
        self.fold_waiting(events);
    }

    fn finish(&mut self, events: &mut Vec<InboxEvent>) {
        self.settle(events);
        self.fold_waiting(events);
    }

    /// Folds the live events that waited. The catch-up is over, unless one of them was lost or does not fit: then it asks once more.
    fn fold_waiting(&mut self, events: &mut Vec<InboxEvent>) {
        let Some(catch_up) = self.catch_up.take() else { return };
        let (waiting, mut dirty) = catch_up.into_waiting();
        for event in waiting {
            dirty |= !self.fold(event, events);
        }
        self.catch_up = dirty.then(CatchUp::default);
        if self.catch_up.is_none() {
            self.caught_up();
        }
    }

    fn caught_up(&mut self) {
        self.leave_overlay();
        self.overlay.send_again();
        let held = self.held.take().filter(|(_, page)| self.passed.holds(page.head.position));
        if let Some((before, page)) = held {
            self.merge(before, page);
        }
    }

    /// Writes that the replica has are no longer shown over it.
    fn leave_overlay(&mut self) {
        self.overlay.passed(|position| {
            or_fault!(self.passed.holds(position), OverlayBySeq => position.seq <= self.head.position.seq)
        });
    }

    /// Applies or ignores a live event; false when it does neither, which starts a catch-up.
    fn fold(&mut self, event: LiveEvent, events: &mut Vec<InboxEvent>) -> bool {
        let (stamp, change) = match event {
            LiveEvent::Change(change) => (change.stamp, Some(change)),
            LiveEvent::Thin(stamp) => (stamp, None),
            _ => return true,
        };
        let passed = self.passed.holds(stamp.position());
        if or_fault!(passed, OldIgnored => stamp.seq <= self.head.position.seq) {
            return true;
        }
        let foldable =
            |change: &Change| !matches!(change.kind, ChangeKind::Gone { .. } | ChangeKind::Unknown);
        match change.filter(|change| foldable(change) && self.is_next(stamp)) {
            Some(change) => {
                self.apply(change, events);
                self.settle(events);
                true
            }
            None => false,
        }
    }

    fn is_next(&self, stamp: Stamp) -> bool {
        let at = self.head.position;
        let follows = or_fault!(stamp.follows(at), GapAccepted => stamp.seq > at.seq);
        or_fault!(follows, TagNotCompared => stamp.seq == at.seq + 1)
    }

    /// The one place where a change has its effect.
    fn apply(&mut self, change: Change, events: &mut Vec<InboxEvent>) {
        let Stamp { pending: told, at, .. } = change.stamp;
        let pending = or_fault!(told, CountAdded => fault::counted(self.head.pending, &change.kind));
        self.head = Head::new(change.stamp.position(), pending);
        self.passed.pass(self.head.position);
        self.recent.pass(&change);
        self.leave_overlay();
        match &change.kind {
            ChangeKind::Added { notification } => {
                let row = self.window.add((**notification).clone(), change.stamp.seq);
                self.announcing.waiting().insert(row, change.stamp.seq);
            }
            ChangeKind::Opened { ids } => self.mark(ids, Some(at)),
            ChangeKind::Unopened { ids } => self.mark(ids, None),
            ChangeKind::OpenedAll { through } => {
                self.window.open_through(*through, at);
                self.announcing.waiting().open_through(*through, at);
            }
            ChangeKind::Removed { ids, .. } => {
                for id in ids {
                    self.window.remove(id);
                    self.announcing.waiting().remove(id);
                }
            }
            _ => {}
        }
        events.push(InboxEvent::Applied(change));
    }

    fn mark(&mut self, ids: &[NotificationId], opened_at: Option<Timestamp>) {
        for id in ids {
            self.window.mark(id, opened_at);
            self.announcing.waiting().mark(id, opened_at);
        }
    }

    fn settle(&mut self, events: &mut Vec<InboxEvent>) {
        let announcements = self.announcing.settle(self.head.position.seq);
        events.extend(announcements.into_iter().map(InboxEvent::Announce));
    }
}

fn contiguous(mut position: Position, changes: &[Change]) -> bool {
    changes.iter().all(|change| {
        let follows = change.stamp.follows(position);
        position = change.stamp.position();
        follows
    })
}
