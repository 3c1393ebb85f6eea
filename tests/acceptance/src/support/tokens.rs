//! Makes JWTs, including ones that no honest issuer would make.

use crate::support::server::JWT_SECRET;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pusher_signer::Signer;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns a token signed with the server's secret (HMAC-SHA256), whatever its header says.
pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    signed_by(JWT_SECRET, header, claims)
}

pub(crate) fn signed_by(secret: &str, header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let digits = Signer::new("key", secret).sign(text.as_bytes());
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let signature: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encoded(header), encoded(claims))
}

/// Returns the claims of a valid token of ada with some changes; null removes a claim.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({"sub": "ada", "exp": now() + 600, "scope": "notifications:push"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}
