use std::collections::BTreeSet;

use internal_notifications_models::{MAX_IDS, NotificationId, RemovedReason, Timestamp, UserId, WriteAnswer};
use internal_notifications_service::Refused;

use super::contents::Contents;
use super::inbox::{Inbox, Removed};
use crate::rules::hooks::MakeTag;
use crate::{InboxCommand, StoreError, StoreErrorKind, Write};

/// Changes of inboxes that become visible together. The contents are locked meanwhile, and no step
/// can fail after the first change.
pub(super) struct Transaction<'a> {
    pub(super) contents: &'a mut Contents,
    make_tag: &'a MakeTag,
    /// The time by the clock of the data, in milliseconds.
    now: i64,
    changed: BTreeSet<UserId>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(contents: &'a mut Contents, make_tag: &'a MakeTag, now: i64) -> Self {
        Self { contents, make_tag, now, changed: BTreeSet::new() }
    }

    /// Adds a stored notification to an inbox. Returns false if the inbox has it or had it.
    pub(super) fn add(&mut self, user: &UserId, id: &NotificationId, at: i64) -> bool {
        let Some(notification) = self.contents.notifications.get_mut(id) else { return false };
        if !notification.recipients.insert(user.clone()) {
            return false;
        }
        let inbox = self.contents.inboxes.entry(user.clone()).or_default();
        let before = inbox.seq();
        inbox.log.add(id, &notification.body, &notification.stored.sender, time(at), (self.make_tag)());
        inbox.set_unpublished_after(before, self.now);
        self.changed.insert(user.clone());
        true
    }

    /// Removes notifications from an inbox, and returns how many were there.
    pub(super) fn withdraw(
        &mut self,
        user: &UserId,
        ids: &[NotificationId],
        reason: RemovedReason,
        at: i64,
    ) -> u64 {
        let Some(inbox) = self.contents.inboxes.get_mut(user) else { return 0 };
        let before = inbox.seq();
        let there: Vec<_> = ids.iter().filter_map(|id| Some((id.clone(), inbox.added(id)?))).collect();
        for some in ids.chunks(MAX_IDS) {
            inbox.log.withdraw(some, reason, time(at), (self.make_tag)());
        }
        let count = there.len() as u64;
        if count > 0 {
            inbox.removed.extend(there.into_iter().map(|(id, added)| (id, Removed { added, at })));
            inbox.set_unpublished_after(before, self.now);
            self.changed.insert(user.clone());
        }
        count
    }

    /// Executes a write in a user's own inbox.
    pub(super) fn write(&mut self, user: &UserId, write: &Write) -> Result<WriteAnswer, StoreError> {
        // A write makes no change in an inbox that never had one, so nothing needs to be stored.
        let mut empty = Inbox::default();
        let inbox = self.contents.inboxes.get_mut(user).unwrap_or(&mut empty);
        let (before, at) = (inbox.seq(), write.at.as_millisecond());
        let leaving = match &write.command {
            InboxCommand::Remove(id) => inbox.added(id).map(|added| (id.clone(), Removed { added, at })),
            _ => None,
        };
        let answer = inbox.log.write(&write.command, write.op.as_ref(), time(at), (self.make_tag)());
        let answer = answer.map_err(|rejection| {
            let kind = match rejection {
                Refused::Unknown => StoreErrorKind::NotFound,
                _ => StoreErrorKind::Diverged,
            };
            StoreError::new(kind).with_head(inbox.log.head())
        })?;
        if answer.seq.is_some() {
            inbox.removed.extend(leaving);
            inbox.set_unpublished_after(before, self.now);
            self.changed.insert(user.clone());
        }
        Ok(answer)
    }

    /// Returns the users whose inboxes have changed.
    pub(super) fn into_changed(self) -> BTreeSet<UserId> {
        self.changed
    }
}

/// Returns the time of these milliseconds.
fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
