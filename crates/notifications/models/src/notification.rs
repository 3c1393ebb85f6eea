use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{InvalidNotification, NotificationId, Timestamp, time};

/// A notification as its sender writes it.
///
/// Only `content` is required. Keys that this version does not know are passed on in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct InternalNotification {
    /// The id. A push repeated with the same id is stored once; without one the server makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<NotificationId>,
    /// The title.
    #[serde(default)]
    pub heading: Option<String>,
    /// The text.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub content: String,
    /// Data for the receiving app.
    #[serde(default)]
    pub payload: Option<Value>,
    /// The URL of an image. The server never fetches it.
    #[serde(default)]
    pub image_url: Option<String>,
    /// The time before which it is not delivered, as RFC 3339. Without a zone it is read as UTC.
    #[serde(default, deserialize_with = "time::lenient")]
    pub send_after: Option<Timestamp>,
    /// When it leaves every inbox, opened or not. Read as `send_after` is.
    #[serde(default, deserialize_with = "time::lenient", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether the user has opened it; false in a push.
    #[serde(default, deserialize_with = "null_is_default")]
    pub opened: bool,
    /// The buttons that the user may press.
    #[serde(default, deserialize_with = "null_is_default")]
    pub buttons: Vec<Button>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A button of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Button {
    /// The id, by which the app recognizes the button when it is pressed.
    pub id: String,
    /// The text on the button.
    pub text: String,
    /// The name of an icon.
    #[serde(default)]
    pub icon: Option<String>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Button {
    /// Makes a button without an icon.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), icon: None, extra: Map::new() }
    }

    /// Sets the name of the icon.
    pub fn with_icon(mut self, icon: impl Into<String>) -> Self {
        self.icon = Some(icon.into());
        self
    }

    /// Adds a key of the app's own.
    pub fn with_extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }
}

impl InternalNotification {
    /// Makes a notification with this text.
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// Sets the id, which makes a repeated push harmless.
    pub fn with_id(mut self, id: NotificationId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the title.
    pub fn with_heading(mut self, heading: impl Into<String>) -> Self {
        self.heading = Some(heading.into());
        self
    }

    /// Sets the data for the receiving app.
    pub fn with_payload(mut self, payload: Value) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Sets the URL of an image.
    pub fn with_image_url(mut self, url: impl Into<String>) -> Self {
        self.image_url = Some(url.into());
        self
    }

    /// Sets the time before which it is not delivered.
    pub fn with_send_after(mut self, time: Timestamp) -> Self {
        self.send_after = Some(time);
        self
    }

    /// Sets when it leaves every inbox, opened or not.
    pub fn with_expires_at(mut self, time: Timestamp) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Adds a button.
    pub fn with_button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    /// Adds a key of the app's own.
    pub fn with_extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }

    /// Removes the id.
    pub fn without_id(mut self) -> Self {
        self.id = None;
        self
    }

    /// Returns the notification as JSON, as it travels and is measured.
    ///
    /// # Errors
    /// Returns [`InvalidNotification::NotJson`] if JSON cannot represent it.
    pub fn to_json(&self) -> Result<String, InvalidNotification> {
        serde_json::to_string(self).map_err(|_| InvalidNotification::NotJson)
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
    fn every_setter_sets_its_field() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let button = Button::new("yes", "Yes").with_icon("check").with_extra("color", "green");
        let notification = InternalNotification::new("c")
            .with_id(NotificationId::new("n").unwrap())
            .with_heading("h")
            .with_payload(json!({"order": 7}))
            .with_image_url("https://example.org/i.png")
            .with_send_after(time("2026-01-31T09:30:00Z"))
            .with_expires_at(time("2026-02-01T09:30:00Z"))
            .with_button(button)
            .with_button(Button::new("no", "No"))
            .with_extra("priority", 2);
        let wire = json!({
            "id": "n", "heading": "h", "content": "c", "payload": {"order": 7},
            "image_url": "https://example.org/i.png", "send_after": "2026-01-31T09:30:00Z",
            "expires_at": "2026-02-01T09:30:00Z", "opened": false, "priority": 2,
            "buttons": [
                {"id": "yes", "text": "Yes", "icon": "check", "color": "green"},
                {"id": "no", "text": "No", "icon": null},
            ],
        });
        assert_eq!(serde_json::from_str::<Value>(&notification.to_json().unwrap()).unwrap(), wire);
        assert_eq!(notification.without_id().id, None);
    }

    #[test]
    fn unknown_keys_are_written_as_they_were_read() {
        let text = json!({"content": "c", "color": "red", "nested": {"a": [1, 2.5, null]}});
        let back = serde_json::to_value(read(text)).unwrap();
        assert_eq!(back["color"], "red");
        assert_eq!(back["nested"], json!({"a": [1, 2.5, null]}));
        assert_eq!(back["opened"], false);
        assert_eq!(back["buttons"], json!([]));
    }

    #[test]
    fn a_button_is_an_object_and_keeps_its_unknown_keys() {
        let notification =
            read(json!({"content": "c", "buttons": [{"id": "i", "text": "t", "color": "red"}]}));
        assert_eq!(serde_json::to_value(&notification).unwrap()["buttons"][0]["color"], "red");
        let array = json!({"content": "c", "buttons": [["id", "text"]]});
        assert!(serde_json::from_value::<InternalNotification>(array).is_err());
    }

    #[test]
    fn null_is_read_as_left_out() {
        let all_null = json!({
            "content": "c", "heading": null, "payload": null, "opened": null, "buttons": null,
            "send_after": null, "expires_at": null, "id": null,
        });
        assert_eq!(read(all_null), InternalNotification::new("c"));
    }
}
