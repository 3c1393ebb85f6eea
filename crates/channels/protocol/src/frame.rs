use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::Object;

/// One text frame in either direction, borrowed from its text: names are copied only if they
/// contain escapes, `data` never. `Debug` does not show the data.
#[derive(Deserialize)]
pub struct Frame<'a> {
    /// The event's name.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// The channel; absent for events of the connection.
    #[serde(borrow, default, deserialize_with = "text")]
    pub channel: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    /// The sender of a client event in a presence channel, set by the server.
    #[serde(borrow, default, deserialize_with = "text")]
    pub user_id: Option<Cow<'a, str>>,
}

/// A string that is borrowed inside an `Option` too, where serde's own `Cow` would copy.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    Ok(Option::<Text<'de>>::deserialize(deserializer)?.map(|text| text.0))
}

/// The error for text that is not a frame, or data that does not have the expected form.
///
/// It has no cause: that of the JSON parser may repeat the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON object in the form of Pusher Channels protocol 7")]
#[non_exhaustive]
pub struct FrameError;

impl<'a> Frame<'a> {
    /// Parses the text of a frame.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the text is not a JSON object with a string `event`.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        serde_json::from_str::<Object<Self>>(text).map(|Object(frame)| frame).map_err(|_| FrameError)
    }

    /// Returns the `data` of the frame.
    pub fn data(&self) -> Data<'a> {
        Data(self.data.map_or("", RawValue::get))
    }
}

/// The `data` of a frame. The protocol encodes most data twice, as JSON text inside a JSON string;
/// clients and some servers send plain JSON. Both are read the same way. `Debug` shows the length
/// alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Data<'a>(&'a str);

impl<'a> Data<'a> {
    /// Returns the data as text: the content of a JSON string, or any other JSON unchanged. Empty
    /// if the data is absent or null. Borrowed unless the string contains escapes.
    pub fn text(&self) -> Cow<'a, str> {
        match self.0 {
            "" | "null" => Cow::Borrowed(""),
            raw if raw.starts_with('"') => {
                serde_json::from_str::<Text<'a>>(raw).map_or(Cow::Borrowed(""), |text| text.0)
            }
            raw => Cow::Borrowed(raw),
        }
    }

    /// Decodes the data, whether it is encoded once or twice.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the data does not have the form of `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        serde_json::from_str(&self.text()).map_err(|_| FrameError)
    }

    /// Decodes data that must be a JSON object, encoded once or twice. All data of the protocol's
    /// own events is one.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the data is not an object, or does not have the form of `T`.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        self.json().map(|Object(data)| data)
    }

    /// Returns whether the data is absent or null.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, "" | "null")
    }

    /// Returns the JSON unchanged from the frame; empty if absent.
    pub fn raw(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("event", &self.event)
            .field("channel", &self.channel)
            .field("data", &self.data())
            .field("user_id", &self.user_id)
            .finish()
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").field("bytes", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_frame_is_borrowed_from_its_text() {
        let text = r#"{"event":"news","channel":"private-ada","data":"plain"}"#;
        let frame = Frame::parse(text).unwrap();
        assert!(matches!(frame.event, Cow::Borrowed("news")));
        assert!(matches!(frame.channel, Some(Cow::Borrowed("private-ada"))));
        assert!(matches!(frame.data().text(), Cow::Borrowed("plain")));
    }

    #[test]
    fn data_is_read_encoded_once_or_twice() {
        for text in [r#"{"event":"e","data":"{\"a\":1}"}"#, r#"{"event":"e","data":{"a":1}}"#] {
            let frame = Frame::parse(text).unwrap();
            assert_eq!(frame.data().json::<Value>().unwrap(), serde_json::json!({"a": 1}));
            assert_eq!(frame.data().text(), r#"{"a":1}"#);
        }
    }

    #[test]
    fn debug_shows_no_data() {
        let frame = Frame::parse(r#"{"event":"e","channel":"c","data":"hidden","user_id":"ada"}"#).unwrap();
        let shown =
            r#"Frame { event: "e", channel: Some("c"), data: Data { bytes: 8 }, user_id: Some("ada") }"#;
        assert_eq!(format!("{frame:?}"), shown);
    }

    #[test]
    fn a_string_of_digits_stays_a_string() {
        let frame = Frame::parse(r#"{"event":"e","data":"123"}"#).unwrap();
        assert_eq!(frame.data().text(), "123");
        assert_eq!(frame.data().raw(), r#""123""#);
    }

    #[test]
    fn absent_and_null_data_are_empty() {
        for text in [r#"{"event":"e"}"#, r#"{"event":"e","data":null}"#] {
            let frame = Frame::parse(text).unwrap();
            assert!(frame.data().is_empty());
            assert!(!Frame::parse(r#"{"event":"e","data":{}}"#).unwrap().data().is_empty());
            assert_eq!(frame.data().text(), "");
        }
    }

    #[test]
    fn text_that_is_not_a_frame_is_rejected() {
        let deep = "[".repeat(20_000);
        for text in
            ["", "{", "[]", "1", "null", r#"{"data":1}"#, r#"{"event":1}"#, r#"{"event":null}"#, &deep]
        {
            assert_eq!(Frame::parse(text).err(), Some(FrameError), "{text:.20}");
        }
    }

    #[test]
    fn data_nested_20000_deep_is_rejected_without_a_crash() {
        let text = format!(r#"{{"event":"e","data":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
        match Frame::parse(&text) {
            Ok(frame) => assert_eq!(frame.data().json::<Value>(), Err(FrameError)),
            Err(error) => assert_eq!(error, FrameError),
        }
    }
}
