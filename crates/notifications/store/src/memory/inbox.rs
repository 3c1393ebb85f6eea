use std::collections::BTreeMap;

use internal_notifications_models::NotificationId;
use internal_notifications_service::InboxLog;

/// An inbox.
#[derive(Clone, Debug, Default)]
pub(super) struct Inbox {
    pub(super) log: InboxLog,
    /// The notifications that were removed and are not yet forgotten.
    pub(super) removed: BTreeMap<NotificationId, Removed>,
    /// `None` if everything is published.
    pub(super) publication: Option<Publication>,
}

/// When a notification was removed, and the seq that had added it.
#[derive(Clone, Debug)]
pub(super) struct Removed {
    pub(super) added: u64,
    pub(super) at: i64,
}

/// The published seq of an inbox, since when it has had unpublished changes, and its lease.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) published: u64,
    pub(super) since: i64,
    pub(super) lease: Option<Lease>,
}

/// The store that publishes an inbox, and the time until which others may not.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) owner: u64,
    pub(super) until: i64,
}

impl Inbox {
    pub(super) fn seq(&self) -> u64 {
        self.log.head().position.seq
    }

    /// Marks the changes after the seq `before` unpublished, unless earlier ones are.
    pub(super) fn set_unpublished_after(&mut self, before: u64, now: i64) {
        self.publication.get_or_insert(Publication { published: before, since: now, lease: None });
    }

    pub(super) fn added(&self, id: &NotificationId) -> Option<u64> {
        self.log.notification(id).map(|row| row.added)
    }
}
