use std::sync::Arc;

use internal_notifications_models::{InboxNotification, InternalNotification};
use serde::{Deserialize, Serialize, Serializer};

use crate::{InboxCommand, ServiceError};

/// An event that an app may show as it happens: a toast, a sound, a badge.
///
/// As JSON, for a web view, it has a `kind`: `{"kind": "notification", "notification": {…}}`,
/// `{"kind": "bare", "notification": {…}}`, `{"kind": "skipped"}`,
/// `{"kind": "write_refused", "command": {…}, "error": {…}}`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Announcement {
    /// A new notification in the inbox. A replica announces each at most once, in order.
    Notification(Arc<InboxNotification>),
    /// A notification that was triggered on the channel without an inbox server. It is neither in
    /// the list nor in the count.
    Bare(Arc<InternalNotification>),
    /// There may be new notifications that are not announced one by one: the replica had missed too
    /// much, or the reader was too slow.
    Skipped,
    /// The server refused a write that was already shown, and it was rolled back.
    WriteRefused(Arc<RefusedWrite>),
}

/// A write that was rolled back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefusedWrite {
    /// The write.
    pub command: InboxCommand,
    /// Why the server refused it.
    pub error: ServiceError,
}

impl RefusedWrite {
    /// Makes a refused write.
    pub fn new(command: InboxCommand, error: ServiceError) -> Self {
        Self { command, error }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Json<'a> {
    Notification {
        notification: &'a InboxNotification,
    },
    Bare {
        notification: &'a InternalNotification,
    },
    Skipped,
    WriteRefused {
        #[serde(flatten)]
        refused: &'a RefusedWrite,
    },
}

impl Serialize for Announcement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Notification(notification) => Json::Notification { notification },
            Self::Bare(notification) => Json::Bare { notification },
            Self::Skipped => Json::Skipped,
            Self::WriteRefused(refused) => Json::WriteRefused { refused },
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::{NotificationId, Tag, Timestamp};
    use serde_json::{Value, json};

    use super::*;
    use crate::ServiceErrorKind;

    fn json(announcement: &Announcement) -> Value {
        serde_json::to_value(announcement).unwrap()
    }

    fn id() -> NotificationId {
        "n".parse().unwrap()
    }

    #[test]
    fn an_announcement_is_json_for_a_web_view() {
        let notification = InternalNotification::new("c").with_extra("kind", "of the app");
        let row = InboxNotification::new(id(), notification.clone(), "key:shop", Timestamp::UNIX_EPOCH, 1);
        assert_eq!(
            json(&Announcement::Notification(Arc::new(row.clone()))),
            json!({"kind": "notification", "notification": row})
        );
        assert_eq!(
            json(&Announcement::Bare(Arc::new(notification.clone()))),
            json!({"kind": "bare", "notification": notification})
        );
        assert_eq!(json(&Announcement::Skipped), json!({"kind": "skipped"}));
    }

    #[test]
    fn a_refused_write_is_json_with_its_command_and_its_error() {
        for (command, written) in [
            (InboxCommand::Opened(vec![id()]), json!({"kind": "opened", "ids": ["n"]})),
            (InboxCommand::Unopened(vec![id()]), json!({"kind": "unopened", "ids": ["n"]})),
            (
                InboxCommand::OpenedAll { through: Some(7), tag: Some(Tag::from_bits(7)) },
                json!({"kind": "opened_all", "through": 7, "tag": "0000000000000007"}),
            ),
            (InboxCommand::Remove(id()), json!({"kind": "remove", "id": "n"})),
        ] {
            let error = ServiceError::new(ServiceErrorKind::QueueFull, "too many");
            let refused = RefusedWrite::new(command, error);
            assert_eq!(
                json(&Announcement::WriteRefused(Arc::new(refused))),
                json!({
                    "kind": "write_refused", "command": written,
                    "error": {"kind": "queue_full", "message": "too many"},
                })
            );
        }
    }
}
