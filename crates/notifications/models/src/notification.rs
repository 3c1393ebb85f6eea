use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::split::Split;
use crate::{InvalidNotification, JsonText, NotificationId, Timestamp, time};

/// A notification as its sender writes it.
///
/// Only `content` is required. Keys that this version does not know are passed on in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    #[cfg_attr(feature = "openapi", schema(value_type = Option<serde_json::Value>))]
    #[serde(default)]
    pub payload: Option<JsonText>,
    /// The URL of an image. The server never fetches it.
    #[serde(default)]
    pub image_url: Option<String>,
    /// The time before which it is not delivered, as RFC 3339. Without a zone it is read as UTC.
    #[serde(default)]
    pub send_after: Option<Timestamp>,
    /// When it leaves every inbox, opened or not. Read as `send_after` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether the user has opened it; false in a push.
    #[serde(default)]
    pub opened: bool,
    /// The buttons that the user may press.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// Keys that this version does not know.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Map<String, serde_json::Value>))]
    #[serde(flatten)]
    pub extra: BTreeMap<String, JsonText>,
}

/// How an [`InternalNotification`] is read; all other keys are its `extra`.
#[derive(Deserialize)]
#[serde(remote = "InternalNotification")]
struct NotificationFields {
    #[serde(default)]
    id: Option<NotificationId>,
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
    #[serde(default, deserialize_with = "null_is_default")]
    opened: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    buttons: Vec<Button>,
    #[serde(skip)]
    extra: BTreeMap<String, JsonText>,
}

impl<'de> Deserialize<'de> for InternalNotification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = BTreeMap::new();
        let fields = NotificationFields::deserialize(Split::new(deserializer, &mut extra))?;
        Ok(Self { extra, ..fields })
    }
}

/// A button of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Map<String, serde_json::Value>))]
    #[serde(flatten)]
    pub extra: BTreeMap<String, JsonText>,
}

/// How a [`Button`] is read; all other keys are its `extra`.
#[derive(Deserialize)]
#[serde(remote = "Button")]
struct ButtonFields {
    id: String,
    text: String,
    #[serde(default)]
    icon: Option<String>,
    #[serde(skip)]
    extra: BTreeMap<String, JsonText>,
}

impl<'de> Deserialize<'de> for Button {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = BTreeMap::new();
        let fields = ButtonFields::deserialize(Split::new(deserializer, &mut extra))?;
        Ok(Self { extra, ..fields })
    }
}

impl Button {
    /// Makes a button without an icon.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), icon: None, extra: BTreeMap::new() }
    }

    /// Sets the name of the icon.
    pub fn with_icon(mut self, icon: impl Into<String>) -> Self {
        self.icon = Some(icon.into());
        self
    }

    /// Adds a key of the app's own.
    pub fn with_extra(mut self, key: impl Into<String>, value: impl Into<JsonText>) -> Self {
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
    pub fn with_payload(mut self, payload: impl Into<JsonText>) -> Self {
        self.payload = Some(payload.into());
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
    pub fn with_extra(mut self, key: impl Into<String>, value: impl Into<JsonText>) -> Self {
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
    use serde_json::{Value, json};

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
    fn numbers_come_back_to_the_digit_wherever_they_are() {
        let numbers = r#"[98765432109876543210987,3.14159265358979323846264,-0.0,1.50,1e+16,1E400]"#;
        let text = format!(
            r#"{{"content":"c","payload":{numbers},"color":{numbers},"buttons":[{{"id":"i","text":"t","n":{numbers}}}]}}"#
        );
        let notification: InternalNotification = serde_json::from_str(&text).unwrap();
        for json in [notification.to_json().unwrap(), crate::canonical_json(&notification).unwrap()] {
            assert_eq!(json.matches(numbers).count(), 3, "{json}");
            assert_eq!(serde_json::from_str::<InternalNotification>(&json).unwrap(), notification);
        }
        let other: InternalNotification = serde_json::from_str(&text.replace("1.50", "1.5")).unwrap();
        assert_ne!(other, notification);
    }

    #[test]
    fn an_unreadable_field_is_an_error_at_its_place() {
        let error = |text: &str| serde_json::from_str::<InternalNotification>(text).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"color":"red","content":7}"#),
            "invalid type: integer `7`, expected a string at line 1 column 26"
        );
        assert_eq!(error(r#"{"color":"red"}"#), "missing field `content` at line 1 column 15");
        assert_eq!(
            error(r#"{"content":"a","content":"b"}"#),
            "duplicate field `content` at line 1 column 24"
        );
        assert!(error("[]").starts_with("invalid type: sequence, expected struct InternalNotification"));
    }

    #[test]
    fn the_last_of_several_values_of_an_unknown_key_counts() {
        let text = r#"{"content":"c","color":1,"color":2}"#;
        let notification: InternalNotification = serde_json::from_str(text).unwrap();
        assert_eq!(notification, InternalNotification::new("c").with_extra("color", 2));
    }

    #[test]
    fn a_notification_is_read_inside_a_type_of_the_app() {
        #[derive(Deserialize)]
        struct Message {
            room: String,
            #[serde(flatten)]
            notification: InternalNotification,
        }
        let text = r#"{"room":"r","content":"c","payload":{"a":1},"color":"red","buttons":[{"id":"i","text":"t","n":2.5}]}"#;
        let Message { room, notification } = serde_json::from_str(text).unwrap();
        assert_eq!(room, "r");
        let expected =
            InternalNotification::new("c").with_payload(json!({"a": 1})).with_extra("color", "red");
        assert_eq!(notification, expected.with_button(Button::new("i", "t").with_extra("n", 2.5)));
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
