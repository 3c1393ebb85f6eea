use serde::Serialize;

use crate::json;

/// Encodes the frame of an event on a channel. A server delivers `data` as the text that was
/// published, which becomes a JSON string; a client may send any JSON.
pub fn published_event<T: Serialize + ?Sized>(event: &str, channel: &str, data: &T) -> String {
    json::frame(event, Some(channel), data)
}

/// Encodes the frame that delivers a client event to the other subscribers. `user_id` is the
/// sender's; servers set it in presence channels only (Pusher's "client events").
pub fn client_event(event: &str, channel: &str, data: &str, user_id: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Wire<'a> {
        event: &'a str,
        channel: &'a str,
        data: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<&'a str>,
    }
    json::encode(&Wire { event, channel, data, user_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_event_names_its_sender_if_known() {
        assert_eq!(
            client_event("client-e", "presence-c", "{}", Some("1")),
            r#"{"event":"client-e","channel":"presence-c","data":"{}","user_id":"1"}"#
        );
        assert_eq!(
            client_event("client-e", "private-c", "x", None),
            r#"{"event":"client-e","channel":"private-c","data":"x"}"#
        );
    }

    #[test]
    fn published_data_is_encoded_twice() {
        assert_eq!(
            published_event("e", "c", r#"{"a":"é"}"#),
            r#"{"event":"e","channel":"c","data":"{\"a\":\"é\"}"}"#
        );
    }
}
