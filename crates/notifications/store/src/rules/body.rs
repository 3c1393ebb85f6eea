use internal_notifications_models::{InternalNotification, canonical_json};

use crate::digest::sha256;
use crate::{StoreError, StoreErrorKind};

/// Returns a notification's body as stored, and its digest.
///
/// The body is the canonical JSON without the id; the digest is its SHA-256 in hexadecimal. Two
/// notifications are the same if and only if their digests are. The order of keys, white space, and
/// whether defaults are written out make no difference.
pub(crate) fn body(mut notification: InternalNotification) -> Result<(String, String), StoreError> {
    notification.id = None;
    let value = serde_json::to_value(&notification).map_err(|error| {
        let message = "the notification cannot be written as JSON";
        StoreError::new(StoreErrorKind::Unavailable).with_message(message).with_source(error)
    })?;
    let body = canonical_json(&value);
    let digest = sha256(&body);
    Ok((body, digest))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored(value: Value) -> (String, String) {
        body(serde_json::from_value(value).unwrap()).unwrap()
    }

    #[test]
    fn defaults_spacing_and_the_id_make_no_difference() {
        let (body, digest) = stored(json!({"content": "c", "payload": {"a": 1, "b": 2}}));
        assert!(body.contains(r#""payload":{"a":1,"b":2}"#) && !body.contains(r#""id""#), "{body}");
        let spelt_out = json!({
            "id": "n", "buttons": [], "payload": {"b": 2, "a": 1}, "opened": false, "heading": null, "content": "c",
        });
        assert_eq!(stored(spelt_out), (body, digest));
    }

    #[test]
    fn another_value_or_field_makes_another_digest() {
        let (_, digest) = stored(json!({"content": "c", "payload": {"a": 1, "b": 2}}));
        assert_eq!(digest.len(), 64);
        assert_ne!(stored(json!({"content": "c", "payload": {"a": 1, "b": "2"}})).1, digest);
        assert_ne!(stored(json!({"content": "c", "payload": {"a": 1, "b": 2}, "color": "red"})).1, digest);
    }
}
