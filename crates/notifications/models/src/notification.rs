use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{NotificationId, Timestamp, time};

/// The names that the server owns: a pushed notification must not have them at its top level (but for `opened: false`).
pub const RESERVED_KEYS: [&str; 11] = [
    "inbox",
    "seq",
    "tag",
    "pending",
    "truncated",
    "gone",
    "added",
    "sender",
    "created_at",
    "opened",
    "opened_at",
];

/// The deepest nesting of a notification. JSON readers bound the depth that they read; one that could be pushed but not read
/// again inside an answer would block its inbox for ever.
pub const MAX_DEPTH: usize = 64;

/// A notification as a sender writes it.
///
/// Only `content` is required. Keys that are not known here are kept in `extra` and come back as they were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InternalNotification {
    /// Chosen by the sender so that a repeated push is stored once; without it the server makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<NotificationId>,
    /// A title.
    #[serde(default)]
    pub heading: Option<String>,
    /// The text.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub content: String,
    /// Anything the receiving app understands.
    #[serde(default)]
    pub payload: Option<Value>,
    /// A picture. Never fetched by the server.
    #[serde(default)]
    pub image_url: Option<String>,
    /// Not before this time. Read as RFC 3339; without a zone as UTC.
    #[serde(default, deserialize_with = "time::lenient")]
    pub send_after: Option<Timestamp>,
    /// When it leaves every inbox, opened or not. Read as `send_after` is.
    #[serde(default, deserialize_with = "time::lenient", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether the user has opened it; false when pushed.
    #[serde(default, deserialize_with = "null_is_default")]
    pub opened: bool,
    /// What the user may press.
    #[serde(default, deserialize_with = "null_is_default")]
    pub buttons: Vec<Button>,
    /// Unknown keys, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A button of a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Button {
    /// What the app is told when it is pressed.
    pub id: String,
    /// What the user reads.
    pub text: String,
    /// The name of an icon.
    #[serde(default)]
    pub icon: Option<String>,
    /// Unknown keys, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Why a notification cannot be pushed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNotification {
    /// The content is empty.
    #[error("`content` must not be empty")]
    Empty,
    /// It has a key that the server owns.
    #[error("`{0}` belongs to the server and must not be in a pushed notification")]
    Reserved(&'static str),
    /// It would be over before it begins.
    #[error("`expires_at` must be later than `send_after`")]
    ExpiresUnsent,
    /// It is nested deeper than [`MAX_DEPTH`].
    #[error("a notification is nested at most {MAX_DEPTH} deep")]
    TooDeep,
    /// It holds what JSON cannot.
    #[error("it cannot be written as JSON")]
    NoJson,
}

impl InternalNotification {
    /// A notification with this text.
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// With this id, which makes a repeated push harmless.
    pub fn with_id(mut self, id: NotificationId) -> Self {
        self.id = Some(id);
        self
    }

    /// With this title.
    pub fn with_heading(mut self, heading: impl Into<String>) -> Self {
        self.heading = Some(heading.into());
        self
    }

    /// With this payload.
    pub fn with_payload(mut self, payload: Value) -> Self {
        self.payload = Some(payload);
        self
    }

    /// With this picture.
    pub fn with_image_url(mut self, url: impl Into<String>) -> Self {
        self.image_url = Some(url.into());
        self
    }

    /// Not before this time.
    pub fn with_send_after(mut self, time: Timestamp) -> Self {
        self.send_after = Some(time);
        self
    }

    /// In inboxes until this time.
    pub fn with_expires_at(mut self, time: Timestamp) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// With one more button.
    pub fn with_button(mut self, id: impl Into<String>, text: impl Into<String>) -> Self {
        self.buttons.push(Button { id: id.into(), text: text.into(), icon: None, extra: Map::new() });
        self
    }

    /// Checks what a push may hold.
    ///
    /// # Errors
    /// [`InvalidNotification`] says what it must not.
    pub fn check(&self) -> Result<(), InvalidNotification> {
        if self.content.is_empty() {
            return Err(InvalidNotification::Empty);
        }
        if self.opened {
            return Err(InvalidNotification::Reserved("opened"));
        }
        if let Some(key) = RESERVED_KEYS.iter().find(|key| self.extra.contains_key(**key)) {
            return Err(InvalidNotification::Reserved(key));
        }
        if self.expires_at.zip(self.send_after).is_some_and(|(expires, send)| expires <= send) {
            return Err(InvalidNotification::ExpiresUnsent);
        }
        let in_buttons = self.buttons.iter().flat_map(|button| button.extra.values());
        let deep = |value: &Value| !within(value, MAX_DEPTH - 3);
        if self.payload.iter().chain(self.extra.values()).chain(in_buttons).any(deep) {
            return Err(InvalidNotification::TooDeep);
        }
        Ok(())
    }

    /// Its JSON, as it travels and is measured.
    ///
    /// # Errors
    /// [`InvalidNotification::NoJson`].
    pub fn to_json(&self) -> Result<String, InvalidNotification> {
        serde_json::to_string(self).map_err(|_| InvalidNotification::NoJson)
    }
}

/// Whether a value is nested at most `depth` deep.
fn within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| within(item, depth - 1)),
        Value::Object(map) => depth > 0 && map.values().all(|item| within(item, depth - 1)),
        _ => true,
    }
}

pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> InternalNotification {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn unknown_keys_come_back_as_they_were() {
        let text = json!({"content": "c", "color": "red", "nested": {"a": [1, 2.5, null]}});
        let back = serde_json::to_value(read(text)).unwrap();
        assert_eq!(back["color"], "red");
        assert_eq!(back["nested"], json!({"a": [1, 2.5, null]}));
        assert_eq!(back["opened"], false);
        assert_eq!(back["buttons"], json!([]));
    }

    #[test]
    fn names_that_the_server_owns_are_refused() {
        for key in RESERVED_KEYS {
            let mut notification = json!({"content": "c"});
            notification[key] = if key == "opened" { json!(true) } else { json!({"seq": 1}) };
            assert_eq!(read(notification).check(), Err(InvalidNotification::Reserved(key)), "{key}");
        }
        assert_eq!(read(json!({"content": "c", "opened": false})).check(), Ok(()));
        assert_eq!(read(json!({"content": "c", "payload": {"inbox": 1}})).check(), Ok(()));
    }

    #[test]
    fn what_could_not_be_read_back_is_refused() {
        let nested = |depth: usize| {
            serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).unwrap()
        };
        let with = |value: Value| InternalNotification::new("c").with_payload(value).check();
        assert_eq!(with(nested(MAX_DEPTH - 3)), Ok(()));
        assert_eq!(with(nested(MAX_DEPTH)), Err(InvalidNotification::TooDeep));
    }

    #[test]
    fn a_notification_lasts_beyond_its_time_of_sending() {
        let with = |expires: &str| {
            read(json!({"content": "c", "send_after": "2026-01-31T09:30:00Z", "expires_at": expires})).check()
        };
        assert_eq!(with("2026-01-31T09:30:00.001"), Ok(()));
        assert_eq!(with("2026-01-31T09:30:00Z"), Err(InvalidNotification::ExpiresUnsent));
    }

    #[test]
    fn a_button_keeps_what_it_has_and_is_an_object() {
        let notification =
            read(json!({"content": "c", "buttons": [{"id": "i", "text": "t", "color": "red"}]}));
        assert_eq!(serde_json::to_value(&notification).unwrap()["buttons"][0]["color"], "red");
        let array = json!({"content": "c", "buttons": [["id", "text"]]});
        assert!(serde_json::from_value::<InternalNotification>(array).is_err());
    }

    #[test]
    fn null_stands_for_what_is_left_out() {
        let all_null = json!({"content": "c", "heading": null, "payload": null, "opened": null, "buttons": null, "send_after": null, "expires_at": null, "id": null});
        assert_eq!(read(all_null), InternalNotification::new("c"));
    }
}
