use std::sync::Arc;

use internal_notifications_models::{InboxNotification, Position};

/// The inbox as an app shows it. List, count and position belong to the same moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The newest notifications, newest first; with the user's own writes that are under way.
    pub notifications: Arc<[Arc<InboxNotification>]>,
    /// Notifications in the whole inbox that are not opened, as the server last told; writes that are under way are not in it.
    pub pending: u64,
    /// The last change that is in it.
    pub position: Position,
    /// Whether there are older notifications than the list holds.
    pub has_older: bool,
    /// Writes of the user's own that the server does not have yet, or the replica not.
    pub unconfirmed: usize,
    /// What the service is doing.
    pub status: Status,
}

/// What a service is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Not initialized, or disposed: there is no user.
    #[default]
    Idle,
    /// Getting the first snapshot.
    Starting,
    /// Subscribed, and as new as the last event or check.
    Live,
    /// Subscribed, asking for what was missed.
    CatchingUp,
    /// Not connected; trying again.
    Offline,
    /// Not subscribed, by choice: the state is kept, and not renewed.
    Paused,
    /// Does nothing, by choice.
    Disabled,
    /// Will not work without a change of configuration or user; why.
    Failed(String),
}
