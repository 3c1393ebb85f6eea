//! The invariants of the model test.

use std::collections::BTreeSet;

use internal_notifications_models::{Change, ChangeKind, InboxNotification, NotificationId, Position};

use super::world::World;
use crate::{Announcement, Inbox, InboxEvent};

impl World {
    /// Checks the replica after a step. If it believes that it has missed nothing, it equals the
    /// server at that position, and it is past every position it has heard of.
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

    /// Checks that a write of the user is shown until its change has arrived.
    pub(super) fn check_own(&mut self) {
        let position = self.inbox.head().position;
        let done = &self.server.at(position).done;
        self.own.retain(|op, own| {
            let is_shown = self.inbox.pending_write(op).is_some();
            let request = own.sent_as.as_ref().unwrap_or(op);
            assert!(
                is_shown || !own.done || done.contains(request),
                "{op} is no longer shown, and was not done"
            );
            is_shown
        });
    }

    /// Checks that a record restores all of the replica that outlives its connection.
    pub(super) fn check_record(&self, record: &[u8]) {
        let mut lasting = self.inbox.clone();
        lasting.disconnect();
        assert_eq!(Inbox::restore(record, self.window).unwrap(), lasting);
    }

    /// Checks that the newest write opened only what the user had seen.
    pub(super) fn check_seen(&self, seen: Position, before: Position) {
        let seen = self.server.at(seen);
        let is_pending = |id| self.server.log().notification(id).is_some_and(|row| !row.opened);
        let pending = self.server.at(before).rows.iter().filter(|row| !row.opened);
        for row in pending.filter(|row| !is_pending(&row.id)) {
            assert!(seen.row(&row.id).is_some(), "{} was opened unseen", row.id);
        }
    }

    /// Checks the replica at the end of a schedule: it equals the server's inbox down to the end of
    /// its window, and it has announced everything new.
    pub(super) fn check_end(&self) {
        let server = self.server.log();
        assert_eq!(self.inbox.head(), server.head());
        assert_eq!(self.inbox.pending_writes(), 0);
        assert_rows(self.inbox.shown().iter().map(AsRef::as_ref), server.rows().rev().take(self.window));
        if self.skipped {
            return;
        }
        let excused: BTreeSet<_> = self.first.iter().chain(&self.server.opened).chain(&self.untold).collect();
        for row in server.rows().filter(|row| !excused.contains(&row.id)) {
            assert!(self.announced.contains_key(&row.id), "{} was never announced", row.id);
        }
    }

    /// Checks the replica's events: each notification is announced once, in order, while it is
    /// pending.
    pub(super) fn observe(&mut self, events: Vec<InboxEvent>) {
        let mut at = None;
        for event in events {
            match event {
                InboxEvent::Announce(Announcement::Notification(row)) => self.observe_announced(at, &row),
                InboxEvent::Announce(Announcement::Skipped) => self.skipped = true,
                InboxEvent::Applied(Change { kind: ChangeKind::Unknown, .. }) => {
                    panic!("a change of an unknown kind was applied")
                }
                InboxEvent::Applied(change) => at = Some(change.stamp.position()),
                _ => at = None,
            }
        }
    }

    fn observe_announced(&mut self, at: Option<Position>, row: &InboxNotification) {
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
