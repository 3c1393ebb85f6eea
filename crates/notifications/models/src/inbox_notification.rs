use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::notification::null_is_default;
use crate::split::Split;
use crate::{Button, InternalNotification, JsonText, NotificationId, Timestamp, time};

/// A notification in an inbox: what its sender wrote, and what the server adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct InboxNotification {
    /// The id.
    pub id: NotificationId,
    /// The title.
    #[serde(default)]
    pub heading: Option<String>,
    /// The text.
    pub content: String,
    /// Data for the receiving app.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    #[serde(default)]
    pub payload: Option<JsonText>,
    /// The URL of an image.
    #[serde(default)]
    pub image_url: Option<String>,
    /// The time before which it was not delivered.
    #[serde(default)]
    pub send_after: Option<Timestamp>,
    /// When it leaves the inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether the user has opened it, on any device.
    pub opened: bool,
    /// The buttons that the user may press.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// When the server stored it.
    pub created_at: Timestamp,
    /// When the user opened it.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    /// The sender, as the server knows it: `user:ID`, `key:NAME` or `outbox:NAME`.
    pub sender: String,
    /// The seq of the change that added it to this inbox: its place in the list.
    pub added: u64,
    /// Keys that this version does not know.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Map<String, serde_json::Value>))]
    #[serde(flatten)]
    pub extra: BTreeMap<String, JsonText>,
}

/// How an [`InboxNotification`] is read; all other keys are its `extra`.
#[derive(Deserialize)]
#[serde(remote = "InboxNotification")]
struct Fields {
    id: NotificationId,
    #[serde(default)]
    heading: Option<String>,
    content: String,
    #[serde(default)]
    payload: Option<JsonText>,
    #[serde(default)]
    image_url: Option<String>,
    #[serde(default, deserialize_with = "time::lenient")]
    send_after: Option<Timestamp>,
    #[serde(default, deserialize_with = "time::lenient")]
    expires_at: Option<Timestamp>,
    opened: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    buttons: Vec<Button>,
    created_at: Timestamp,
    #[serde(default)]
    opened_at: Option<Timestamp>,
    sender: String,
    added: u64,
    #[serde(skip)]
    extra: BTreeMap<String, JsonText>,
}

impl<'de> Deserialize<'de> for InboxNotification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = BTreeMap::new();
        let fields = Fields::deserialize(Split::new(deserializer, &mut extra))?;
        Ok(Self { extra, ..fields })
    }
}

impl InboxNotification {
    /// Makes the pending notification that a pushed one becomes in an inbox.
    pub fn new(
        id: NotificationId,
        notification: InternalNotification,
        sender: impl Into<String>,
        created_at: Timestamp,
        added: u64,
    ) -> Self {
        Self {
            id,
            heading: notification.heading,
            content: notification.content,
            payload: notification.payload,
            image_url: notification.image_url,
            send_after: notification.send_after,
            expires_at: notification.expires_at,
            opened: false,
            buttons: notification.buttons,
            created_at,
            opened_at: None,
            sender: sender.into(),
            added,
            extra: notification.extra,
        }
    }

    /// Marks it opened at a time, or pending. Returns whether that changed anything.
    pub fn set_opened(&mut self, at: Option<Timestamp>) -> bool {
        let changed = self.opened != at.is_some();
        if changed {
            self.opened = at.is_some();
            self.opened_at = at;
        }
        changed
    }
}

/// Returns a notification as its sender wrote it, with its id.
impl From<InboxNotification> for InternalNotification {
    fn from(row: InboxNotification) -> Self {
        Self {
            id: Some(row.id),
            heading: row.heading,
            content: row.content,
            payload: row.payload,
            image_url: row.image_url,
            send_after: row.send_after,
            expires_at: row.expires_at,
            opened: false,
            buttons: row.buttons,
            extra: row.extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pushed() -> InternalNotification {
        serde_json::from_value(json!({
            "id": "n", "heading": "h", "content": "c", "payload": {"a": 1}, "image_url": "https://example.org/i.png",
            "send_after": "2026-01-31T09:30:00Z", "expires_at": "2026-02-01T09:30:00Z", "opened": false,
            "buttons": [{"id": "i", "text": "t", "icon": "star", "color": "red"}], "color": "blue",
        }))
        .unwrap()
    }

    fn row() -> InboxNotification {
        let id = NotificationId::new("n").unwrap();
        InboxNotification::new(id, pushed(), "key:shop", Timestamp::UNIX_EPOCH, 7)
    }

    #[test]
    fn an_inbox_notification_is_what_was_pushed_and_what_the_server_adds() {
        let mut wire = serde_json::to_value(pushed()).unwrap();
        for (key, value) in [
            ("created_at", json!("1970-01-01T00:00:00Z")),
            ("opened_at", json!(null)),
            ("sender", json!("key:shop")),
            ("added", json!(7)),
        ] {
            wire[key] = value;
        }
        assert_eq!(serde_json::to_value(row()).unwrap(), wire);
        assert_eq!(InternalNotification::from(row()), pushed());
    }

    #[test]
    fn marking_a_notification_as_it_is_changes_nothing() {
        let (mut row, at) = (row(), Timestamp::UNIX_EPOCH);
        assert!(!row.set_opened(None));
        assert!(row.set_opened(Some(at)) && row.opened && row.opened_at == Some(at));
        assert!(!row.set_opened(Some(Timestamp::MAX)) && row.opened_at == Some(at));
        assert!(row.set_opened(None) && !row.opened && row.opened_at.is_none());
    }
}
