use std::collections::BTreeSet;

use internal_notifications_models::{MAX_IDS, NotificationId, RemovedReason, Timestamp, UserId, WriteAnswer};
use internal_notifications_service::Refused;

use super::contents::Contents;
use super::inbox::{Inbox, Removed};
use crate::rules::hooks::MakeTag;
use crate::{InboxCommand, StoreError, StoreErrorKind, Write};

/// Changes of inboxes that become visible together: the contents are locked meanwhile, and nothing in it can fail half-way.
pub(super) struct Transaction<'a> {
    pub(super) contents: &'a mut Contents,
    make_tag: &'a MakeTag,
    touched: BTreeSet<UserId>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(contents: &'a mut Contents, make_tag: &'a MakeTag) -> Self {
        Self { contents, make_tag, touched: BTreeSet::new() }
    }

    /// Adds a stored notification to an inbox; false when the inbox has it or had it.
    pub(super) fn add(&mut self, user: &UserId, id: &NotificationId, at: i64) -> bool {
        let Some(notification) = self.contents.notifications.get_mut(id) else { return false };
        if !notification.held.insert(user.clone()) {
            return false;
        }
        let inbox = self.contents.inboxes.entry(user.clone()).or_default();
        let before = inbox.seq();
        inbox.log.add(id, &notification.body, &notification.known.sender, time(at), (self.make_tag)());
        inbox.changed(before);
        self.touched.insert(user.clone());
        true
    }

    /// Takes notifications out of an inbox, in as many changes as that needs, and says how many were there.
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
            inbox.changed(before);
            self.touched.insert(user.clone());
        }
        count
    }

    /// A write in a user's own inbox.
    pub(super) fn write(&mut self, user: &UserId, write: &Write) -> Result<WriteAnswer, StoreError> {
        // An inbox that never had a change gets none by a write either.
        let mut none = Inbox::default();
        let inbox = self.contents.inboxes.get_mut(user).unwrap_or(&mut none);
        let (before, at) = (inbox.seq(), write.at.as_millisecond());
        let leaving = match &write.command {
            InboxCommand::Remove(id) => inbox.added(id).map(|added| (id.clone(), Removed { added, at })),
            _ => None,
        };
        let answer = inbox.log.write(&write.command, write.op.as_ref(), time(at), (self.make_tag)());
        let answer = answer.map_err(|refused| {
            let kind = match refused {
                Refused::Unknown => StoreErrorKind::NotFound,
                _ => StoreErrorKind::Diverged,
            };
            StoreError::new(kind).with_head(inbox.log.head())
        })?;
        if answer.seq.is_some() {
            inbox.removed.extend(leaving);
            inbox.changed(before);
            self.touched.insert(user.clone());
        }
        Ok(answer)
    }

    /// The users whose inboxes have changed.
    pub(super) fn into_touched(self) -> BTreeSet<UserId> {
        self.touched
    }
}

/// A time as it comes back from a database.
fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
