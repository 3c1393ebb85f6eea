//! What must hold.

use std::collections::BTreeSet;

use internal_notifications_models::{Change, ChangeKind, InboxNotification, NotificationId, Position};

use super::world::World;
use crate::{Announcement, InboxEvent};

impl World {
    /// After every step: whenever the replica believes that it missed nothing, it is what the server was at that position, and
    /// that position comes after all that it heard of.
    pub(super) fn check(&mut self) {
        self.check_own();
        if self.inbox.is_catching_up() {
            return;
        }
        let head = self.inbox.head();
        let past = self.server.at(head.position);
        assert_eq!(head, past.head);
        let low = self.inbox.low();
        assert_rows(
            self.inbox.rows().map(AsRef::as_ref),
            past.rows.iter().rev().filter(|row| row.added >= low),
        );
        assert!(self.inbox.rows().count() <= self.window);
        for news in std::mem::take(&mut self.news) {
            assert!(self.server.led(news, head.position), "{news:?} was missed and not asked for");
        }
    }

    /// A write of the user's own is shown until the replica itself has it.
    fn check_own(&mut self) {
        let position = self.inbox.head().position;
        let done = &self.server.at(position).done;
        self.own.retain(|op, own| {
            let is_shown = self.inbox.pending_write(op).is_some();
            assert!(is_shown || !own.done || done.contains(op), "{op} is shown no more, and was not done");
            is_shown
        });
    }

    /// What the newest write opened was there when the user made it.
    pub(super) fn check_seen(&self, seen: Position, before: Position) {
        let seen = self.server.at(seen);
        let is_pending = |id| self.server.log().notification(id).is_some_and(|row| !row.opened);
        let pending = self.server.at(before).rows.iter().filter(|row| !row.opened);
        for row in pending.filter(|row| !is_pending(&row.id)) {
            assert!(seen.row(&row.id).is_some(), "{} was opened unseen", row.id);
        }
    }

    /// When all is told: the replica is the server's inbox, down to where its window ends, and has announced what it was to.
    pub(super) fn check_end(&self) {
        let server = self.server.log();
        assert_eq!(self.inbox.head(), server.head());
        assert_eq!(self.inbox.pending_writes(), 0);
        assert_rows(self.inbox.shown().iter().map(AsRef::as_ref), server.rows().rev().take(self.window));
        if self.skipped {
            return;
        }
        let excused: BTreeSet<_> = self.first.union(&self.server.opened).collect();
        for row in server.rows().filter(|row| !excused.contains(&row.id)) {
            assert!(self.announced.contains_key(&row.id), "{} was never announced", row.id);
        }
    }

    /// What the replica says: each announced once, in order, and only while it is pending.
    pub(super) fn note(&mut self, events: Vec<InboxEvent>) {
        let mut at = None;
        for event in events {
            match event {
                InboxEvent::Announce(Announcement::Notification(row)) => self.note_announced(at, &row),
                InboxEvent::Announce(Announcement::Skipped) => self.skipped = true,
                InboxEvent::Applied(Change { kind: ChangeKind::Unknown, .. }) => {
                    panic!("folded what it cannot know")
                }
                InboxEvent::Applied(change) => at = Some(change.stamp.position()),
                _ => at = None,
            }
        }
    }

    fn note_announced(&mut self, at: Option<Position>, row: &InboxNotification) {
        let id: &NotificationId = &row.id;
        assert!(!row.opened);
        let was_pending = |at| self.server.at(at).row(id).is_some_and(|row| !row.opened);
        assert!(at.is_none_or(was_pending), "{id} was announced when it was not pending");
        let newest = self.announced.values().max();
        assert!(self.server.diverged || newest < Some(&row.added), "{id} was announced out of order");
        let before = self.announced.insert(id.clone(), row.added);
        assert!(before.is_none(), "{id} was announced twice");
    }
}

fn assert_rows<'a>(
    rows: impl Iterator<Item = &'a InboxNotification>,
    expected: impl Iterator<Item = &'a InboxNotification>,
) {
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}
