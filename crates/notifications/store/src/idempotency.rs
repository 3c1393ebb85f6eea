use internal_notifications_models::{PushRequest, canonical_json};

use crate::digest::sha256;

/// The key by which a caller identifies one request, so that a repeat gets the first answer.
///
/// It is the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). Each caller has
/// its own keys. They are remembered for [`Retention::keys`](crate::Retention::keys).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub(crate) key: String,
    /// The SHA-256 of the request's canonical JSON, in hexadecimal.
    pub(crate) request: String,
}

impl IdempotencyKey {
    /// The most characters of a key.
    pub const MAX_CHARS: usize = 255;

    /// Creates the key of a request, or returns `None` unless it has 1 to 255 visible ASCII
    /// characters.
    pub fn new(key: &str, request: &PushRequest) -> Option<Self> {
        let visible = !key.is_empty()
            && key.len() <= Self::MAX_CHARS
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        let request = visible.then(|| canonical_json(request).ok())??;
        Some(Self { key: key.to_owned(), request: sha256(&request) })
    }

    /// Returns the key.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// Returns the SHA-256 of the request's canonical JSON, in hexadecimal. Requests are the same
    /// if and only if these are.
    pub fn request_digest(&self) -> &str {
        &self.request
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
    fn a_key_belongs_to_one_request_however_it_is_written() {
        let first = key("k", json!({"user_ids": ["ada"], "notification": {"content": "c"}})).unwrap();
        let again = key("k", json!({"notification": {"heading": null, "content": "c"}, "user_ids": ["ada"]}));
        assert_eq!(again, Some(first.clone()));
        assert_eq!((first.as_str(), first.request_digest().len()), ("k", 64));
        let other = key("k", json!({"user_ids": ["bob"], "notification": {"content": "c"}})).unwrap();
        assert_ne!(other, first);
    }

    #[test]
    fn a_key_has_1_to_255_visible_ascii_characters() {
        let request = json!({"user_ids": ["ada"], "notification": {"content": "c"}});
        for invalid in ["", " ", "a b", "é", "\u{7f}", &"k".repeat(256)] {
            assert_eq!(key(invalid, request.clone()), None, "{invalid:?}");
        }
        assert!(key(&"k".repeat(255), request).is_some());
    }
}
