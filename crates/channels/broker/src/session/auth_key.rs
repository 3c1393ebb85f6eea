use pusher_signer::Signer;

use super::truncated;

/// Why a token of the form `key:signature` cannot be one of this app. A key may contain colons, a
/// signature cannot.
pub(super) enum InvalidKey {
    /// It has no colon.
    Format,
    /// It has this key, which is another app's.
    Unknown(String),
}

/// Checks the key of a token, not its signature.
pub(super) fn check_key(signer: &Signer, auth: &str) -> Result<(), InvalidKey> {
    match auth.rsplit_once(':') {
        None => Err(InvalidKey::Format),
        Some((key, _)) if key != signer.key() => Err(InvalidKey::Unknown(truncated(key))),
        Some(_) => Ok(()),
    }
}
