use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::notification::null_is_default;
use crate::{Button, InternalNotification, NotificationId, Timestamp, time};

/// A notification in an inbox: what the sender wrote, and what the server knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxNotification {
    /// Its id.
    pub id: NotificationId,
    /// A title.
    #[serde(default)]
    pub heading: Option<String>,
    /// The text.
    pub content: String,
    /// Anything the receiving app understands.
    #[serde(default)]
    pub payload: Option<Value>,
    /// A picture.
    #[serde(default)]
    pub image_url: Option<String>,
    /// The time before which it was not to be delivered.
    #[serde(default, deserialize_with = "time::lenient")]
    pub send_after: Option<Timestamp>,
    /// When it will leave the inbox.
    #[serde(default, deserialize_with = "time::lenient", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether the user has opened it, on any device.
    pub opened: bool,
    /// What the user may press.
    #[serde(default, deserialize_with = "null_is_default")]
    pub buttons: Vec<Button>,
    /// When the server stored it.
    pub created_at: Timestamp,
    /// When it was opened.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    /// Who pushed it: `user:ID`, `key:NAME` or `outbox:NAME`, stamped by the server.
    pub sender: String,
    /// The seq of the change that added it to this inbox: its place in the list.
    pub added: u64,
    /// Unknown keys, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl InboxNotification {
    /// The row that a pushed notification becomes.
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

    /// Marks it opened at a time, or not opened; says whether that changed anything.
    pub fn set_opened(&mut self, at: Option<Timestamp>) -> bool {
        let changed = self.opened != at.is_some();
        if changed {
            self.opened = at.is_some();
            self.opened_at = at;
        }
        changed
    }
}
