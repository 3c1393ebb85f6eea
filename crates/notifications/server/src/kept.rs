//! Credentials that are made once and kept in the database, so that a restart keeps its clients.

use std::fmt::Write;

use crate::config::{Config, JwtKey};
use crate::store::{Store, StoreError};

pub(crate) const JWT_SECRET: &str = "jwt_secret";

/// The configured key; else, on loopback, a secret of the database's own, and that it is that.
pub(crate) async fn jwt_key(
    store: &dyn Store,
    config: &Config,
) -> Result<(Option<JwtKey>, bool), StoreError> {
    if config.auth.jwt.is_some() || !config.is_loopback() {
        return Ok((config.auth.jwt.clone(), false));
    }
    let secret = store.get_or_insert_setting(JWT_SECRET, random_hex(32)).await?;
    Ok((Some(JwtKey::Secret(secret)), true))
}

/// The app's id, key and secret: each the configured one, or the kept one.
pub(crate) async fn app(
    store: &dyn Store,
    configured: [Option<String>; 3],
) -> Result<[String; 3], StoreError> {
    let [id, key, secret] = configured;
    let made_id = rand::random_range(100_000_u32..1_000_000).to_string();
    Ok([
        setting(store, id, "app_id", made_id).await?,
        setting(store, key, "app_key", random_hex(10)).await?,
        setting(store, secret, "app_secret", random_hex(32)).await?,
    ])
}

async fn setting(
    store: &dyn Store,
    configured: Option<String>,
    name: &str,
    make: String,
) -> Result<String, StoreError> {
    match configured {
        Some(value) => Ok(value),
        None => store.get_or_insert_setting(name, make).await,
    }
}

fn random_hex(bytes: usize) -> String {
    (0..bytes).fold(String::with_capacity(2 * bytes), |mut text, _| {
        let _ = write!(text, "{:02x}", rand::random::<u8>());
        text
    })
}
