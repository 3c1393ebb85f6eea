use std::sync::Arc;

use internal_notifications_models::{InboxNotification, Position};
use serde::Serialize;

use crate::ServiceError;

/// The inbox as an app shows it. List, count and position belong to the same moment.
///
/// As JSON, for a web view:
///
/// ```json
/// {"notifications": [], "pending": 0, "position": {"seq": 0, "tag": null}, "has_older": false,
///  "unconfirmed": 0, "status": {"kind": "live"}}
/// ```
///
/// [`Inbox::snapshot`](crate::Inbox::snapshot) makes one. A service without an
/// [`Inbox`](crate::Inbox) sets the fields of a [`new`](Self::new) one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The newest notifications, newest first. They include the user's own unconfirmed writes.
    pub notifications: Arc<[Arc<InboxNotification>]>,
    /// How many notifications in the whole inbox are not opened, by the server's last count.
    /// Unconfirmed writes are not counted.
    pub pending: u64,
    /// The last change that the snapshot includes.
    pub position: Position,
    /// Whether there are older notifications than those in the list.
    pub has_older: bool,
    /// How many of the user's own writes are not in the list's state yet: the server does not have
    /// them, or their changes have not arrived.
    pub unconfirmed: usize,
    /// What the service is doing.
    pub status: Status,
}

impl Snapshot {
    /// Makes a snapshot of an empty inbox.
    pub fn new(status: Status) -> Self {
        Self { status, ..Self::default() }
    }
}

/// What a service is doing.
///
/// As JSON it has a `kind`, and an `error` where there is one: `{"kind": "catching_up"}`,
/// `{"kind": "offline", "error": {"kind": "unavailable", "message": "…"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "error", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Not initialized, or disposed: there is no user.
    #[default]
    Idle,
    /// `init` has been called, and the first snapshot is being loaded.
    Starting,
    /// The first snapshot is loaded, and the live channel is being subscribed for the first time.
    Connecting,
    /// Subscribed, and up to date as of the last event or position check.
    Live,
    /// Subscribed, and asking the server for changes that may have been missed.
    CatchingUp,
    /// There is no live connection, or the server does not answer, for this reason; the service is
    /// trying to reconnect.
    Offline(ServiceError),
    /// The live channel is refused for this reason. The list follows the server all the same, by
    /// position checks, and the service subscribes again after each of them.
    Polling(ServiceError),
    /// The app called `unsubscribe`: the state stays as it is until `subscribe`.
    Paused,
    /// Switched off by configuration.
    Disabled,
    /// The server rejects the user for this reason. The service tries again ever more seldom, but
    /// only another token, user or configuration is likely to help.
    ///
    /// `subscribe` and `wake` try at once.
    Failed(ServiceError),
}

impl Status {
    /// Returns why the service is [`Offline`](Self::Offline), [`Polling`](Self::Polling) or
    /// [`Failed`](Self::Failed).
    pub fn error(&self) -> Option<&ServiceError> {
        match self {
            Self::Offline(error) | Self::Polling(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::{InternalNotification, Tag, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::ServiceErrorKind;

    #[test]
    fn a_snapshot_is_json_for_a_web_view() {
        let notification = InternalNotification::new("c");
        let id = "n".parse().unwrap();
        let row = InboxNotification::new(id, notification, "key:shop", Timestamp::UNIX_EPOCH, 1);
        let mut snapshot = Snapshot::new(Status::Live);
        snapshot.pending = 1;
        snapshot.position = Position { seq: 1, tag: Some(Tag::from_bits(7)) };
        snapshot.notifications = [Arc::new(row.clone())].into();
        assert_eq!(
            serde_json::to_value(snapshot).unwrap(),
            json!({
                "notifications": [row], "pending": 1,
                "position": {"seq": 1, "tag": "0000000000000007"}, "has_older": false,
                "unconfirmed": 0, "status": {"kind": "live"},
            })
        );
    }

    #[test]
    fn a_status_is_a_kind_and_its_error() {
        let error = ServiceError::new(ServiceErrorKind::Unavailable, "why").with_source("the cause");
        let json = json!({"kind": "unavailable", "message": "why: the cause"});
        for (status, json) in [
            (Status::CatchingUp, json!({"kind": "catching_up"})),
            (Status::Offline(error.clone()), json!({"kind": "offline", "error": json})),
            (Status::Polling(error.clone()), json!({"kind": "polling", "error": json})),
            (Status::Failed(error.clone()), json!({"kind": "failed", "error": json})),
        ] {
            assert_eq!(status.error(), json.get("error").map(|_| &error));
            assert_eq!(serde_json::to_value(status).unwrap(), json);
        }
    }
}
