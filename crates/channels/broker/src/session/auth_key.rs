use pusher_signer::Signer;

use super::repeated;

/// Why a token does not authorize, in Pusher's words, but for the signature that would have been right.
pub(super) enum Invalid {
    Format,
    Key(String),
}

/// Whether a token is one of this app.
pub(super) fn check_key(signer: &Signer, auth: &str) -> Result<(), Invalid> {
    match auth.split_once(':') {
        None => Err(Invalid::Format),
        Some((key, _)) if key != signer.key() => Err(Invalid::Key(repeated(key))),
        Some(_) => Ok(()),
    }
}
