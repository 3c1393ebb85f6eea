use std::collections::BTreeMap;

use internal_notifications_models::NotificationId;
use internal_notifications_service::InboxLog;

/// A user's inbox.
#[derive(Clone, Debug, Default)]
pub(super) struct Inbox {
    pub(super) log: InboxLog,
    /// What left it, as far as is remembered.
    pub(super) removed: BTreeMap<NotificationId, Removed>,
    /// Only while changes are unpublished.
    pub(super) publication: Option<Publication>,
}

/// When a notification left, and the seq that had added it.
#[derive(Clone, Debug)]
pub(super) struct Removed {
    pub(super) added: u64,
    pub(super) at: i64,
}

/// How far an inbox is published.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) published: u64,
    pub(super) lease: Option<Lease>,
}

/// Who publishes it, and until when nobody else may.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) owner: u64,
    pub(super) until: i64,
}

impl Inbox {
    pub(super) fn seq(&self) -> u64 {
        self.log.head().position.seq
    }

    /// Takes note of what a change did: `before` is the seq before it.
    pub(super) fn changed(&mut self, before: u64) {
        self.publication.get_or_insert(Publication { published: before, lease: None });
    }

    pub(super) fn added(&self, id: &NotificationId) -> Option<u64> {
        self.log.notification(id).map(|row| row.added)
    }
}
