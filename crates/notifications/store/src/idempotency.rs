use internal_notifications_models::{PushRequest, canonical_json};

use crate::digest::sha256;

/// What a caller calls one request, so that its repeats get the first answer: the header `Idempotency-Key`
/// (draft-ietf-httpapi-idempotency-key-header). It belongs to the caller, and is remembered for [`Retention::keys`](crate::Retention::keys).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub(crate) key: String,
    /// SHA-256 of the request as canonical JSON, in hexadecimal.
    pub(crate) request: String,
}

impl IdempotencyKey {
    /// The most characters of a key.
    pub const MAX_CHARS: usize = 255;

    /// A key, and the request that it is for; none unless the key is 1 to 255 visible ASCII characters.
    pub fn new(key: &str, request: &PushRequest) -> Option<Self> {
        let visible = !key.is_empty()
            && key.len() <= Self::MAX_CHARS
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        let request = visible.then(|| serde_json::to_value(request).ok())??;
        Some(Self { key: key.to_owned(), request: sha256(&canonical_json(&request)) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(key: &str, request: serde_json::Value) -> Option<IdempotencyKey> {
        IdempotencyKey::new(key, &serde_json::from_value(request).unwrap())
    }

    #[test]
    fn a_key_is_of_one_request_however_it_is_written() {
        let first = key("k", json!({"user_ids": ["ada"], "notification": {"content": "c"}})).unwrap();
        let again = key("k", json!({"notification": {"heading": null, "content": "c"}, "user_ids": ["ada"]}));
        assert_eq!(again, Some(first.clone()));
        let other = key("k", json!({"user_ids": ["bob"], "notification": {"content": "c"}})).unwrap();
        assert_ne!(other, first);
    }

    #[test]
    fn a_key_is_visible_ascii() {
        let request = json!({"user_ids": ["ada"], "notification": {"content": "c"}});
        for wrong in ["", " ", "a b", "é", "\u{7f}", &"k".repeat(256)] {
            assert_eq!(key(wrong, request.clone()), None, "{wrong:?}");
        }
        assert!(key(&"k".repeat(255), request).is_some());
    }
}
