//! Secrets that are generated once and stored in the database, so that clients stay valid across
//! restarts.

use std::fmt::Write;

use crate::config::{Config, JwtKey, JwtSecret};
use crate::store::{Store, StoreError};

pub(crate) const JWT_SECRET: &str = "jwt_secret";

/// Returns the configured JWT key or, on loopback, a generated one, and whether it was generated.
pub(crate) async fn jwt_key(
    store: &dyn Store,
    config: &Config,
) -> Result<(Option<JwtKey>, bool), StoreError> {
    if config.auth.jwt.is_some() || !config.is_loopback() {
        return Ok((config.auth.jwt.clone(), false));
    }
    let secret = store.get_or_insert_setting(JWT_SECRET, random_hex(32)).await?;
    Ok((Some(JwtKey::Secret(JwtSecret(secret))), true))
}

/// Returns the id, key and secret of the embedded broker's app. Each that is not configured is
/// generated.
pub(crate) async fn app(
    store: &dyn Store,
    configured: [Option<String>; 3],
) -> Result<[String; 3], StoreError> {
    let [id, key, secret] = configured;
    let generated_id = rand::random_range(100_000_u32..1_000_000).to_string();
    Ok([
        setting(store, id, "app_id", generated_id).await?,
        setting(store, key, "app_key", random_hex(10)).await?,
        setting(store, secret, "app_secret", random_hex(32)).await?,
    ])
}

async fn setting(
    store: &dyn Store,
    configured: Option<String>,
    name: &str,
    generated: String,
) -> Result<String, StoreError> {
    match configured {
        Some(value) => Ok(value),
        None => store.get_or_insert_setting(name, generated).await,
    }
}

fn random_hex(bytes: usize) -> String {
    (0..bytes).fold(String::with_capacity(2 * bytes), |mut text, _| {
        let _ = write!(text, "{:02x}", rand::random::<u8>());
        text
    })
}
