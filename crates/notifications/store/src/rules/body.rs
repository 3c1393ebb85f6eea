use internal_notifications_models::{InternalNotification, canonical_json};

use crate::digest::sha256;
use crate::{StoreError, StoreErrorKind};

/// Returns a notification's body as stored, and its digest.
///
/// The body is the canonical JSON without the id; the digest is its SHA-256 in hexadecimal. Two
/// notifications are the same if and only if their digests are. The order of keys, white space, and
/// whether defaults are written out make no difference; how a number is written does.
pub(crate) fn body(mut notification: InternalNotification) -> Result<(String, String), StoreError> {
    notification.id = None;
    let body = canonical_json(&notification).map_err(|error| {
        let message = "the notification cannot be written as JSON";
        StoreError::new(StoreErrorKind::Unavailable).with_message(message).with_source(error)
    })?;
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

    /// Digests are stored, so that a body must have the same one in every version.
    #[test]
    fn bodies_have_the_digests_that_earlier_versions_stored() {
        for (notification, expected) in [
            (r#"{"content":"c"}"#, "f28127f094978c43549998be62cbcd4901cc462eb88a474358f64dd7803d5ef2"),
            (
                r#"{"id":"n","content":"c","payload":{"b":[1,-2,0,18446744073709551615,-9223372036854775808],"a":null}}"#,
                "1e15d5d467cbda2d5ccda934d8b1f15041aa1e53762f149b44cbe06f841e0e68",
            ),
            (
                r#"{"content":"c","payload":[2.5,0.1,-0.5,1000.0,1e+300,1.7976931348623157e+308,5e-324]}"#,
                "6a69864592bdfa16e14c3fdb8540c1d6f17eec027642e7467f2bd325fbfaf5a2",
            ),
            (
                r#"{"content":"\u00fc\ud83d\ude00\u0000\u001f\u007f\u2028\/\"\\\b\f\n\r\t é","payload":"\u00e9"}"#,
                "8a3687b26a3941a52ac3b34d5c5aea20c98a9b8a5f85466ae136fc99c7be0c24",
            ),
            (
                r#"{"content":"c","ключ":{"b":1,"a":2,"\u0061a":3,"":[[],{}]},"payload":{"x":1,"x":2}}"#,
                "e103509a16086c1010cbfc7e1e66395f4d136564f0217d471f85c2f80f738846",
            ),
            (
                r#"{"content":"c","heading":"h","image_url":"https://example.org/i.png","send_after":"2026-01-31T09:30:00","expires_at":"2026-01-31T10:30:00+01:00","buttons":[{"text":"t","id":"i","n":[true,false]},{"id":"j","text":"u","icon":"star"}]}"#,
                "7d6fdf5d9baec1fc5959e557d48badd466e9f434aca6365ff3d7b480aba785f9",
            ),
        ] {
            let (body, digest) = super::body(serde_json::from_str(notification).unwrap()).unwrap();
            assert_eq!(digest, expected, "{body}");
        }
    }

    #[test]
    fn a_number_written_in_another_way_makes_another_body() {
        let stored = |number: &str| {
            let text = format!(r#"{{"content":"c","payload":[{number}],"color":{number}}}"#);
            body(serde_json::from_str(&text).unwrap()).unwrap()
        };
        let mut digests = std::collections::HashSet::new();
        for number in
            ["1", "1.0", "1.00", "1e0", "1E0", "-0.0", "-0", "0", "98765432109876543210987", "1E400"]
        {
            let (body, digest) = stored(number);
            assert!(body.contains(&format!(r#""color":{number},"#)), "{body}");
            assert!(body.contains(&format!(r#""payload":[{number}]"#)), "{body}");
            assert!(digests.insert(digest), "{number}");
        }
    }

    #[test]
    fn another_value_or_field_makes_another_digest() {
        let (_, digest) = stored(json!({"content": "c", "payload": {"a": 1, "b": 2}}));
        assert_eq!(digest.len(), 64);
        assert_ne!(stored(json!({"content": "c", "payload": {"a": 1, "b": "2"}})).1, digest);
        assert_ne!(stored(json!({"content": "c", "payload": {"a": 1, "b": 2}, "color": "red"})).1, digest);
    }
}
