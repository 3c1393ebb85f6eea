//! The model server, with its whole past.

use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Change, Head, InboxNotification, InternalNotification, NotificationId, OpId, Position, RemovedReason,
    Tag, Timestamp, WriteAnswer,
};

use crate::{InboxCommand, InboxLog, Refused};

pub(super) struct Server {
    now: State,
    backup: State,
    /// The past by seq and tag of the position.
    past: BTreeMap<(u64, Option<Tag>), Past>,
    pub(super) pushed: Vec<InternalNotification>,
    /// Ids that were ever opened.
    pub(super) opened: BTreeSet<NotificationId>,
    /// Whether a restored backup has lost changes.
    pub(super) diverged: bool,
    clock: u64,
}

#[derive(Clone, Default)]
struct State {
    log: InboxLog,
    added: BTreeSet<NotificationId>,
    done: BTreeSet<OpId>,
}

/// The server at a position.
pub(super) struct Past {
    pub(super) head: Head,
    /// Oldest first.
    pub(super) rows: Vec<InboxNotification>,
    /// The user's writes that were done by then.
    pub(super) done: BTreeSet<OpId>,
    before: Option<Position>,
}

impl Past {
    pub(super) fn row(&self, id: &NotificationId) -> Option<&InboxNotification> {
        self.rows.iter().find(|row| row.id == *id)
    }
}

impl Server {
    pub(super) fn new() -> Self {
        let mut server = Self {
            now: State::default(),
            backup: State::default(),
            past: BTreeMap::new(),
            pushed: Vec::new(),
            opened: BTreeSet::new(),
            diverged: false,
            clock: 0,
        };
        server.remember(None);
        server
    }

    pub(super) fn log(&self) -> &InboxLog {
        &self.now.log
    }

    /// Returns the past at a position.
    pub(super) fn at(&self, position: Position) -> &Past {
        &self.past[&(position.seq, position.tag)]
    }

    /// Returns whether one position led to another.
    pub(super) fn led(&self, from: Position, to: Position) -> bool {
        let mut at = Some(to);
        while let Some(position) = at.filter(|at| at.seq > from.seq) {
            at = self.at(position).before;
        }
        at == Some(from)
    }

    pub(super) fn push(&mut self) -> Option<Change> {
        let number = self.pushed.len() as u64;
        let id = NotificationId::new(format!("n{number}")).unwrap();
        let mut notification = InternalNotification::new("c").with_id(id);
        let lifetime = 10 * (number % 3);
        if lifetime > 0 {
            notification = notification.with_expires_at(at(self.clock + lifetime));
        }
        self.pushed.push(notification.clone());
        self.add(&notification)
    }

    /// Adds a notification, unless this history has had its id.
    pub(super) fn add(&mut self, notification: &InternalNotification) -> Option<Change> {
        let id = notification.id.as_ref().unwrap();
        let is_new = self.now.added.insert(id.clone());
        let change = self.change(|now, at, tag| now.log.add(id, notification, "key:t", at, tag).is_some());
        assert_eq!(change.is_some(), is_new, "{id} must be added exactly once");
        change
    }

    pub(super) fn retract(&mut self, id: &NotificationId) -> Option<Change> {
        self.withdraw(std::slice::from_ref(id), RemovedReason::Retracted)
    }

    pub(super) fn expire(&mut self) -> Option<Change> {
        let now = at(self.clock);
        let is_over = |row: &&InboxNotification| row.expires_at.is_some_and(|expires_at| expires_at <= now);
        let ids: Vec<_> = self.log().rows().filter(is_over).map(|row| row.id.clone()).collect();
        self.withdraw(&ids, RemovedReason::Expired)
    }

    pub(super) fn prune(&mut self, keep: usize) -> Option<Change> {
        let ids: Vec<_> = self.log().rows().rev().skip(keep).map(|row| row.id.clone()).collect();
        self.withdraw(&ids, RemovedReason::Pruned)
    }

    fn withdraw(&mut self, ids: &[NotificationId], reason: RemovedReason) -> Option<Change> {
        let were = ids.iter().filter(|id| self.log().notification(id).is_some()).count();
        let rows = self.log().rows().count();
        let change = self.change(|now, at, tag| now.log.withdraw(ids, reason, at, tag).is_some());
        assert_eq!((change.is_some(), rows - self.log().rows().count()), (were > 0, were));
        change
    }

    /// Does a command of the user. Without an `op` it comes from another device.
    pub(super) fn write(
        &mut self,
        command: &InboxCommand,
        op: Option<&OpId>,
    ) -> (Result<WriteAnswer, Refused>, Option<Change>) {
        let mut answer = Err(Refused::Unknown);
        let change = self.change(|now, at, tag| {
            answer = now.log.write(command, op, at, tag);
            let made = answer.is_ok_and(|answer| answer.seq.is_some());
            now.done.extend(op.filter(|_| made).cloned());
            made
        });
        (answer, change)
    }

    /// Returns whether a write of the user is part of the present history.
    pub(super) fn has_done(&self, op: &OpId) -> bool {
        self.now.done.contains(op)
    }

    pub(super) fn trim(&mut self, through: u64) {
        self.now.log.trim(through);
    }

    pub(super) fn back_up(&mut self) {
        self.backup = self.now.clone();
    }

    pub(super) fn restore(&mut self) {
        self.diverged |= self.log().head() != self.backup.log.head();
        self.now = self.backup.clone();
    }

    /// Returns a time that no other change has.
    pub(super) fn tick(&mut self) -> Timestamp {
        self.clock += 1;
        at(self.clock)
    }

    /// Runs something that makes at most one change, and returns the change as the server sends it.
    fn change(&mut self, make: impl FnOnce(&mut State, Timestamp, Tag) -> bool) -> Option<Change> {
        let before = self.log().head();
        let at = self.tick();
        let made = make(&mut self.now, at, Tag::from_bits(self.clock));
        let change = self.log().records(before.position.seq).next();
        assert_eq!(change.is_some(), made);
        if made {
            self.remember(Some(before.position));
        } else {
            assert_eq!(self.log().head(), before);
        }
        change
    }

    fn remember(&mut self, before: Option<Position>) {
        let head = self.log().head();
        let rows: Vec<_> = self.log().rows().cloned().collect();
        assert_eq!(head.pending, rows.iter().filter(|row| !row.opened).count() as u64);
        self.opened.extend(rows.iter().filter(|row| row.opened).map(|row| row.id.clone()));
        let past = Past { head, rows, done: self.now.done.clone(), before };
        self.past.insert((head.position.seq, head.position.tag), past);
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(second as i64).unwrap()
}
