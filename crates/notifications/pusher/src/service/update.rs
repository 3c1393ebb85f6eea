use std::sync::Arc;

use internal_notifications_models::Change;
use internal_notifications_service::{Snapshot, Status};

/// An update of the inbox.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// The whole state, on which the following updates build.
    Snapshot {
        /// The state.
        snapshot: Snapshot,
        /// Whether it replaces changes that cannot be listed, because the server reset the replica
        /// or this reader was too slow.
        ///
        /// Not set for the first state that a reader gets, nor for the first snapshot after `init`.
        reset: bool,
    },
    /// A change was applied, live or by a catch-up.
    Change(Arc<Change>),
    /// The status changed.
    Status(Status),
}
