use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the section `name` of the vector files. Panics unless it has `count` entries, so that
/// missing ones are noticed.
pub(crate) fn section<T: DeserializeOwned>(name: &str, count: usize) -> Vec<T> {
    let entries: Vec<T> = whole(name);
    assert_eq!(entries.len(), count, "{name}");
    entries
}

pub(crate) fn whole<T: DeserializeOwned>(name: &str) -> T {
    let value = [include_str!("../vectors/auth.json"), include_str!("../vectors/rest.json")]
        .iter()
        .find_map(|text| serde_json::from_str::<Value>(text).unwrap().get_mut(name).map(Value::take))
        .unwrap_or_else(|| panic!("no section {name}"));
    serde_json::from_value(value).unwrap()
}

#[derive(Deserialize)]
pub(crate) struct ChannelAuth {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) socket_id: String,
    pub(crate) channel: String,
    pub(crate) channel_data: Option<String>,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
    pub(crate) auth: String,
    pub(crate) published_signature: Option<String>,
    pub(crate) encryption_master_key_base64: Option<String>,
    pub(crate) shared_secret: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct SocketIds {
    pub(crate) valid: Vec<String>,
    pub(crate) invalid: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct UserAuth {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) socket_id: String,
    pub(crate) user_data: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
    pub(crate) auth: String,
}

#[derive(Deserialize)]
pub(crate) struct RawHmac {
    pub(crate) secret: String,
    pub(crate) message: String,
    pub(crate) hmac_sha256_hex: String,
}

#[derive(Deserialize)]
pub(crate) struct MasterKey {
    pub(crate) input: String,
    pub(crate) ok: bool,
}

#[derive(Deserialize)]
pub(crate) struct Webhook {
    pub(crate) key: Option<String>,
    pub(crate) secret: String,
    pub(crate) body: String,
    pub(crate) x_pusher_signature: String,
    pub(crate) valid_with_extra_token: Option<Token>,
}

#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) key: String,
    pub(crate) secret: String,
}

#[derive(Deserialize)]
pub(crate) struct SignedRequest {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: std::collections::BTreeMap<String, String>,
    pub(crate) body: Option<String>,
    pub(crate) body_md5: Option<String>,
    pub(crate) string_to_sign: String,
    pub(crate) auth_signature: String,
}

#[derive(Deserialize)]
pub(crate) struct BodyMd5 {
    pub(crate) body: String,
    pub(crate) body_md5: String,
}

#[derive(Deserialize)]
pub(crate) struct CanonicalQuery {
    pub(crate) params: serde_json::Map<String, Value>,
    pub(crate) canonical: String,
}

#[derive(Deserialize)]
pub(crate) struct Tolerance {
    pub(crate) offset_s: i64,
    pub(crate) accept: bool,
}

#[cfg(feature = "encrypted")]
#[derive(Deserialize)]
pub(crate) struct Secretbox {
    pub(crate) shared_secret_base64: String,
    pub(crate) nonce_base64: String,
    pub(crate) ciphertext_base64: String,
    pub(crate) plaintext: Option<String>,
    pub(crate) must_fail: bool,
    pub(crate) channel: Option<String>,
    pub(crate) encryption_master_key_base64: Option<String>,
    pub(crate) event_data: Option<String>,
}
