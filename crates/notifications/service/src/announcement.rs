use std::sync::Arc;

use internal_notifications_models::{InboxNotification, InternalNotification};

use crate::{InboxCommand, ServiceError};

/// What an app may show as it comes: a toast, a sound, a badge.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Announcement {
    /// A notification came to the inbox. Each is announced at most once in the life of a replica, in order.
    Notification(Arc<InboxNotification>),
    /// A sender that knows of no inbox server triggered this on the channel. It is not in the list or the count.
    Bare(Arc<InternalNotification>),
    /// There may be more that came, and are not announced one by one: the replica had missed too much, or the reader was too slow.
    Skipped,
    /// A write that was shown before the server had it was refused, and is shown no more.
    WriteRefused(Arc<RefusedWrite>),
}

/// A write that was rolled back.
#[derive(Debug)]
pub struct RefusedWrite {
    /// What it would have done.
    pub command: InboxCommand,
    /// Why it was refused.
    pub error: ServiceError,
}

impl PartialEq for RefusedWrite {
    fn eq(&self, other: &Self) -> bool {
        self.command == other.command && self.error.kind() == other.error.kind()
    }
}
