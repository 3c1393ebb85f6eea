use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{SocketId, limits};

/// One text frame of either direction, borrowed from its text: names are copied only when they hold escapes, `data` never.
/// `Debug` does not show the data.
#[derive(Deserialize)]
pub struct Frame<'a> {
    /// The event's name.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// The channel, absent for events of the connection.
    #[serde(borrow, default, deserialize_with = "text")]
    pub channel: Option<Cow<'a, str>>,
    /// The data, as it stands in the text.
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    /// Set by the server on client events of presence channels: who sent it.
    #[serde(borrow, default, deserialize_with = "text")]
    pub user_id: Option<Cow<'a, str>>,
}

/// A text that borrows inside an `Option` too, where serde's own `Cow` would copy.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    Ok(Option::<Text<'de>>::deserialize(deserializer)?.map(|text| text.0))
}

/// A text that is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame is a JSON object with the text `event`")]
pub struct FrameError;

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] when the text is not a JSON object, or has no text `event`.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        serde_json::from_str(text).map_err(|_| FrameError)
    }

    /// The `data` of the frame.
    pub fn data(&self) -> Data<'a> {
        Data(self.data.map_or("", RawValue::get))
    }
}

/// The `data` of a frame. The protocol encodes most of it twice: a JSON text inside a JSON string. Clients and some servers send
/// it plain; both are read the same way. `Debug` shows how long it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Data<'a>(&'a str);

impl<'a> Data<'a> {
    /// The data as text: the contents of the string, or the JSON as it stands when it is no string. Empty when absent or null.
    /// Borrowed unless the string holds escapes.
    pub fn text(&self) -> Cow<'a, str> {
        match self.0 {
            "" | "null" => Cow::Borrowed(""),
            raw if raw.starts_with('"') => {
                serde_json::from_str::<Text<'a>>(raw).map_or(Cow::Borrowed(""), |text| text.0)
            }
            raw => Cow::Borrowed(raw),
        }
    }

    /// The data as a value, decoded once or twice as needed.
    ///
    /// # Errors
    /// [`FrameError`] when it is not of that shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        serde_json::from_str(&self.text()).map_err(|_| FrameError)
    }

    /// Whether the data is absent or null.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, "" | "null")
    }

    /// The JSON exactly as it stands in the frame; empty when absent.
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

/// The data of `pusher:connection_established`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The connection's id.
    pub socket_id: SocketId,
    /// Seconds without traffic after which to ping.
    pub activity_timeout: u64,
}

impl Handshake {
    /// Reads the data of the first event. A missing or zero time-out counts as 120 s.
    ///
    /// # Errors
    /// [`FrameError`] when there is no valid socket id.
    pub fn parse(data: Data<'_>) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            socket_id: String,
            #[serde(default)]
            activity_timeout: Option<u64>,
        }
        let raw: Raw = data.json()?;
        Ok(Self {
            socket_id: SocketId::new(raw.socket_id).map_err(|_| FrameError)?,
            activity_timeout: raw
                .activity_timeout
                .filter(|seconds| *seconds > 0)
                .unwrap_or(limits::ACTIVITY_TIMEOUT_SECONDS),
        })
    }
}

/// The data of `pusher:error`. Both fields may be missing; the text is for people, not to be matched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The code, often absent.
    #[serde(default)]
    pub code: Option<u16>,
    /// What happened.
    #[serde(default)]
    pub message: Option<String>,
}

impl Problem {
    /// Reads the data of an error event, leniently: what cannot be read is taken as the message.
    pub fn parse(data: Data<'_>) -> Self {
        data.json().unwrap_or_else(|_| Self {
            code: None,
            message: Some(data.text().into_owned()).filter(|text| !text.is_empty()),
        })
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
    fn a_text_of_digits_stays_text() {
        let frame = Frame::parse(r#"{"event":"e","data":"123"}"#).unwrap();
        assert_eq!(frame.data().text(), "123");
        assert_eq!(frame.data().raw(), r#""123""#);
    }

    #[test]
    fn absent_and_null_data_are_empty() {
        for text in [r#"{"event":"e"}"#, r#"{"event":"e","data":null}"#] {
            let frame = Frame::parse(text).unwrap();
            assert!(frame.data().is_empty());
            assert_eq!(frame.data().text(), "");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let deep = "[".repeat(20_000);
        for text in
            ["", "{", "[]", "1", "null", r#"{"data":1}"#, r#"{"event":1}"#, r#"{"event":null}"#, &deep]
        {
            assert_eq!(Frame::parse(text).err(), Some(FrameError), "{text:.20}");
        }
    }

    #[test]
    fn data_nested_20000_deep_is_no_value_and_no_crash() {
        let text = format!(r#"{{"event":"e","data":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
        match Frame::parse(&text) {
            Ok(frame) => assert_eq!(frame.data().json::<Value>(), Err(FrameError)),
            Err(error) => assert_eq!(error, FrameError),
        }
    }

    #[test]
    fn a_handshake_without_a_time_out_gets_the_documented_one() {
        let read = |data: &str| {
            let text = format!(r#"{{"event":"pusher:connection_established","data":{data}}}"#);
            Handshake::parse(Frame::parse(&text).unwrap().data())
        };
        let full = read(r#""{\"socket_id\":\"1.2\",\"activity_timeout\":30}""#).unwrap();
        assert_eq!((full.socket_id.as_str(), full.activity_timeout), ("1.2", 30));
        assert_eq!(read(r#"{"socket_id":"1.2"}"#).unwrap().activity_timeout, 120);
        assert_eq!(read(r#"{"socket_id":"1.2","activity_timeout":0}"#).unwrap().activity_timeout, 120);
        assert_eq!(read(r#"{"socket_id":"1:2"}"#), Err(FrameError));
    }

    #[test]
    fn errors_are_read_in_every_form_that_servers_send() {
        let read = |data: &str| {
            let text = format!(r#"{{"event":"pusher:error","data":{data}}}"#);
            Problem::parse(Frame::parse(&text).unwrap().data())
        };
        assert_eq!(
            read(r#"{"code":4001,"message":"m"}"#),
            Problem { code: Some(4001), message: Some("m".into()) }
        );
        assert_eq!(read(r#""{\"code\":4009,\"message\":\"m\"}""#).code, Some(4009));
        assert_eq!(read(r#"{"code":null,"message":"m"}"#).code, None);
        assert_eq!(read(r#""over quota""#).message.as_deref(), Some("over quota"));
        assert_eq!(read("null"), Problem::default());
    }
}
