use internal_notifications_models::{Change, ResetReason};

use super::PendingWrite;
use crate::Announcement;

/// What happened to the inbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InboxEvent {
    /// A change was applied, live or by a catch-up.
    Applied(Change),
    /// A snapshot replaced the state. The first one has no reason.
    Replaced(Option<ResetReason>),
    /// The app should announce this.
    Announce(Announcement),
    /// The server refused a write of the user, and it is no longer shown.
    RolledBack(PendingWrite),
}
