use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::encryption::EncryptionMasterKey;
use crate::error::{Error, ErrorKind};
use crate::hex;

/// Signs and verifies with the key and secret of an app: HMAC-SHA256 in hexadecimal, as Pusher
/// Channels uses it everywhere.
///
/// Cheap to clone. `Debug` shows the key alone.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    key: String,
    mac: Hmac<Sha256>,
    master_key: Option<EncryptionMasterKey>,
}

impl Signer {
    /// Creates a signer from the key and secret of an app.
    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length (RFC 2104)")]
    pub fn new(key: impl Into<String>, secret: &str) -> Self {
        let mac = Hmac::new_from_slice(secret.as_bytes()).expect("any length");
        Self(Arc::new(Inner { key: key.into(), mac, master_key: None }))
    }

    /// Adds the key that `private-encrypted-` channels need.
    #[must_use]
    pub fn with_encryption_master_key(mut self, key: EncryptionMasterKey) -> Self {
        Arc::make_mut(&mut self.0).master_key = Some(key);
        self
    }

    /// Returns the app key. It is public: clients connect with it.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// Signs a text and returns 64 lower-case hexadecimal digits.
    ///
    /// It does not check the text. Never sign text that a client chose: it could be the
    /// authorization of another channel. Use [`authorize_channel`](Self::authorize_channel) and its
    /// like, which check.
    pub fn sign(&self, text: &[u8]) -> String {
        let mut signature = String::with_capacity(64);
        hex::push(&mut signature, self.mac(&[text]).finalize().into_bytes().into());
        signature
    }

    /// Returns whether `signature` is the signature of `text`, compared in constant time.
    pub fn verify(&self, text: &[u8], signature: &str) -> bool {
        self.verify_parts(&[text], signature)
    }

    /// Computes the signature over all parts without joining them first.
    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }

    fn verify_parts(&self, parts: &[&[u8]], signature: &str) -> bool {
        hex::decode(signature).is_some_and(|signature| self.mac(parts).verify_slice(&signature).is_ok())
    }

    pub(crate) fn required_master_key(&self) -> Result<&EncryptionMasterKey, Error> {
        self.0.master_key.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::EncryptionKeyRequired,
                "an encrypted channel needs the encryption master key: call Signer::with_encryption_master_key",
            )
        })
    }

    /// Returns `key:signature`, the token of channel and user authorizations.
    pub(crate) fn token(&self, parts: &[&[u8]]) -> String {
        let mut token = String::with_capacity(self.0.key.len() + 1 + 64);
        token.push_str(&self.0.key);
        token.push(':');
        hex::push(&mut token, self.mac(parts).finalize().into_bytes().into());
        token
    }

    pub(crate) fn verify_token(&self, token: &str, parts: &[&[u8]]) -> Result<(), Error> {
        let (key, signature) = token.rsplit_once(':').ok_or_else(Error::signature)?;
        if key != self.0.key {
            return Err(Error::unknown_key());
        }
        if self.verify_parts(parts, signature) { Ok(()) } else { Err(Error::signature()) }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key", &self.0.key).finish_non_exhaustive()
    }
}
