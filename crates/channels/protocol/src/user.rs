use std::fmt;

use serde::Deserialize;

use crate::{Data, FrameError, Object};

/// The `user_data` of a signed-in user (Pusher's "authenticating users"). `Debug` shows the id
/// alone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserData {
    /// The user's id; never empty.
    pub id: String,
    /// The JSON text that was signed.
    pub text: String,
}

impl UserData {
    /// Parses the data of `pusher:signin_success`.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the data does not name a user.
    pub fn parse(data: Data<'_>) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            user_data: String,
        }
        let raw: Raw = data.object()?;
        Self::parse_text(raw.user_data)
    }

    /// Parses the `user_data` of a user-auth endpoint's answer.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_text(text: String) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            id: String,
        }
        match serde_json::from_str::<Object<Raw>>(&text) {
            Ok(Object(raw)) if !raw.id.is_empty() => Ok(Self { id: raw.id, text }),
            _ => Err(FrameError),
        }
    }
}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The data of `pusher_internal:watchlist_events`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WatchlistChanges {
    /// The changes, in order.
    pub events: Vec<WatchlistChange>,
}

/// Users of a watchlist that came online or went offline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WatchlistChange {
    /// `online` or `offline`.
    pub name: String,
    /// The ids of the users.
    #[serde(default)]
    pub user_ids: Vec<String>,
}

impl WatchlistChanges {
    /// Parses the data of the event.
    ///
    /// # Errors
    /// Returns [`FrameError`] if the data is not an object with `events`.
    pub fn parse(data: Data<'_>) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            events: Vec<Object<WatchlistChange>>,
        }
        let Raw { events } = data.object()?;
        Ok(Self { events: events.into_iter().map(|Object(change)| change).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn user_data_needs_an_id() {
        let read = |data: &str| {
            let text = format!(r#"{{"event":"pusher:signin_success","data":{data}}}"#);
            UserData::parse(Frame::parse(&text).unwrap().data())
        };
        let user = read(r#"{"user_data":"{\"id\":\"ada\"}"}"#).unwrap();
        assert_eq!((user.id.as_str(), user.text.as_str()), ("ada", r#"{"id":"ada"}"#));
        assert_eq!(format!("{user:?}"), r#"UserData { id: "ada", .. }"#);
        assert_eq!(read(r#""{\"user_data\":\"{\\\"id\\\":\\\"ada\\\"}\"}""#), Ok(user));
        for wrong in ["{}", r#"{"user_data":"{}"}"#, r#"{"user_data":"{\"id\":\"\"}"}"#, r#"{"user_data":7}"#]
        {
            assert_eq!(read(wrong), Err(FrameError), "{wrong}");
        }
    }

    #[test]
    fn watchlist_changes_are_parsed_encoded_once_or_twice() {
        for data in [
            r#"{"events":[{"name":"online","user_ids":["ada"]}]}"#,
            r#""{\"events\":[{\"name\":\"online\",\"user_ids\":[\"ada\"]}]}""#,
        ] {
            let text = format!(r#"{{"event":"pusher_internal:watchlist_events","data":{data}}}"#);
            let changes = WatchlistChanges::parse(Frame::parse(&text).unwrap().data()).unwrap();
            let online = WatchlistChange { name: "online".into(), user_ids: vec!["ada".into()] };
            assert_eq!(changes.events, [online]);
        }
    }
}
