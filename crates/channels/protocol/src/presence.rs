use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{Data, FrameError, Object};

/// A member of a presence channel: the data of `member_added` and `member_removed`, and the
/// `channel_data` of a subscription. `Debug` does not show the info.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresenceMember {
    /// The user's id. A number is read as its digits.
    pub id: String,
    /// The user's `user_info` as JSON text; `null` if there is none.
    pub info: String,
}

impl PresenceMember {
    /// Creates a member; `info` is JSON text.
    pub fn new(id: impl Into<String>, info: impl Into<String>) -> Self {
        Self { id: id.into(), info: info.into() }
    }

    /// Parses the data of an event.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the data is not an object with a `user_id`.
    pub fn parse(data: Data<'_>) -> Result<Self, FrameError> {
        Self::parse_text(&data.text())
    }

    /// Parses the `channel_data` of an auth endpoint's answer.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_text(text: &str) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            user_id: Id,
            #[serde(default)]
            user_info: Option<Box<RawValue>>,
        }
        let Object(raw): Object<Raw> = serde_json::from_str(text).map_err(|_| FrameError)?;
        Ok(Self { id: raw.user_id.0, info: raw.user_info.map_or_else(null, text_of) })
    }
}

/// All members of a presence channel: the data of its `subscription_succeeded`. Maps each user's id
/// to the `user_info` as JSON text. `Debug` does not show the infos.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Members(BTreeMap<String, String>);

impl Members {
    /// Creates members from a map of user id to `user_info` as JSON text.
    pub fn new(members: BTreeMap<String, String>) -> Self {
        Self(members)
    }

    /// Returns the map of user id to `user_info` as JSON text.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// Parses the data of an event. Ids may be numbers; `hash` may be absent or lack some of the
    /// ids.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the data is not an object with `presence`.
    pub fn parse(data: Data<'_>) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            presence: Object<Presence>,
        }
        #[derive(Deserialize)]
        struct Presence {
            #[serde(default)]
            ids: Option<Vec<Id>>,
            #[serde(default)]
            hash: Option<BTreeMap<String, Option<Box<RawValue>>>>,
        }
        let Raw { presence: Object(presence) } = data.object()?;
        let hash = presence.hash.unwrap_or_default().into_iter();
        let mut members: BTreeMap<_, _> =
            hash.map(|(id, info)| (id, info.map_or_else(null, text_of))).collect();
        for Id(id) in presence.ids.unwrap_or_default() {
            members.entry(id).or_insert_with(null);
        }
        Ok(Self(members))
    }
}

impl fmt::Debug for PresenceMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceMember").field("id", &self.id).field("info_bytes", &self.info.len()).finish()
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.keys().collect();
        f.debug_struct("Members").field("ids", &ids).finish_non_exhaustive()
    }
}

fn null() -> String {
    "null".to_owned()
}

fn text_of(json: Box<RawValue>) -> String {
    Box::<str>::from(json).into_string()
}

/// A user id. Some servers and auth endpoints write it as a number.
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Number(serde_json::Number),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::Text(text) => Self(text),
            Raw::Number(number) => Self(number.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    fn frame(data: &str) -> String {
        let data = serde_json::to_string(data).unwrap();
        format!(r#"{{"event":"e","channel":"presence-a","data":{data}}}"#)
    }

    fn members(data: &str) -> Result<Vec<(String, String)>, FrameError> {
        let members = Members::parse(Frame::parse(&frame(data)).unwrap().data())?;
        Ok(members.into_map().into_iter().collect())
    }

    #[test]
    fn members_are_parsed_in_every_form_that_servers_send() {
        let ada = ("ada".to_owned(), r#"{"n": 1}"#.to_owned());
        let seven = ("7".to_owned(), "null".to_owned());
        let full = r#"{"presence":{"count":2,"ids":["ada",7],"hash":{"ada":{"n": 1},"7":null}}}"#;
        assert_eq!(members(full), Ok(vec![seven.clone(), ada.clone()]));
        let partial = r#"{"presence":{"ids":["7","ada"],"hash":{"ada":{"n": 1}}}}"#;
        assert_eq!(members(partial), Ok(vec![seven, ada]));
        assert_eq!(members(r#"{"presence":{"count":0,"ids":null,"hash":null}}"#), Ok(Vec::new()));
        for wrong in ["", "{}", "[]", r#"{"presence":{"ids":[[]]}}"#] {
            assert_eq!(members(wrong), Err(FrameError), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_no_info() {
        let member = PresenceMember::new("ada", "hidden");
        assert_eq!(format!("{member:?}"), r#"PresenceMember { id: "ada", info_bytes: 6 }"#);
        let members = Members::new(BTreeMap::from([(member.id, member.info)]));
        assert_eq!(format!("{members:?}"), r#"Members { ids: ["ada"], .. }"#);
    }

    #[test]
    fn a_member_needs_an_id_but_no_info() {
        let read = PresenceMember::parse_text;
        let member = |id: &str, info: &str| Ok(PresenceMember::new(id, info));
        assert_eq!(read(r#"{"user_id":"ada","user_info":{"n":1}}"#), member("ada", r#"{"n":1}"#));
        assert_eq!(read(r#"{"user_id":7}"#), member("7", "null"));
        assert_eq!(read(r#"{"user_info":{}}"#), Err(FrameError));
        assert_eq!(read(r#"{"user_id":null}"#), Err(FrameError));
        let event = frame(r#"{"user_id":"ada","user_info":{"n":1}}"#);
        let event = Frame::parse(&event).unwrap();
        assert_eq!(PresenceMember::parse(event.data()), member("ada", r#"{"n":1}"#));
    }
}
