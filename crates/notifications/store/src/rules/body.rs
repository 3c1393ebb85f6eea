use internal_notifications_models::{InternalNotification, canonical_json};

use crate::digest::sha256;
use crate::{StoreError, StoreErrorKind};

/// A notification as it is kept: its canonical JSON without the id, and the SHA-256 of that, in hexadecimal.
///
/// Two notifications are the same if and only if their digests are: key order, spacing, and defaults written out or left out make no
/// difference.
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
    use serde_json::json;

    use super::*;

    fn digest(value: serde_json::Value) -> String {
        body(serde_json::from_value(value).unwrap()).unwrap().1
    }

    #[test]
    fn defaults_and_the_id_make_no_difference() {
        let plain = digest(json!({"content": "c", "payload": {"a": 1, "b": 2}}));
        let spelt = json!({"id": "n", "buttons": [], "payload": {"b": 2, "a": 1}, "opened": false, "heading": null, "content": "c"});
        assert_eq!(digest(spelt), plain);
        assert_eq!(plain.len(), 64);
        assert_ne!(digest(json!({"content": "c", "payload": {"a": 1, "b": "2"}})), plain);
        assert_ne!(digest(json!({"content": "c", "payload": {"a": 1, "b": 2}, "color": "red"})), plain);
    }
}
