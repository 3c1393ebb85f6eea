//! End-to-end encryption for encrypted channels (`private-encrypted-…`): publishers seal the data
//! of events, subscribers open it, and the Channels server cannot read it (Pusher's "encrypted
//! channels"). The cipher is NaCl's secretbox, XSalsa20-Poly1305.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use pusher_protocol::{ChannelName, Object};
use serde::{Deserialize, Serialize};

use crate::encryption::EncryptionMasterKey;
use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// Standard base64 with or without padding: Pusher's Java library omits it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The length of a [`Nonce`] in bytes.
pub const NONCE_BYTES: usize = 24;

/// A number that is used once with a key. Draw it from a cryptographically secure random generator;
/// it is long enough that random ones do not repeat.
pub type Nonce = [u8; NONCE_BYTES];

/// The key of one encrypted channel. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret([u8; 32]);

#[derive(Serialize, Deserialize)]
struct Envelope {
    nonce: String,
    ciphertext: String,
}

impl SharedSecret {
    /// Derives the key of `channel`: SHA-256 over its name and the master key.
    pub fn derive(channel: &ChannelName, master_key: &EncryptionMasterKey) -> Self {
        Self(master_key.derive(channel))
    }

    /// Decodes the `shared_secret` of a [`ChannelAuthorization`](crate::ChannelAuthorization):
    /// base64, with or without padding.
    ///
    /// # Errors
    /// Returns [`EncryptionKey`](ErrorKind::EncryptionKey) if it is not base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        LENIENT.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(|| {
            Error::new(ErrorKind::EncryptionKey, "a shared secret is base64 of exactly 32 bytes")
        })
    }

    /// Encodes the key as the `shared_secret` of an auth endpoint's answer: base64 of 44
    /// characters.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Encrypts `plaintext` and returns the data to publish: `{"nonce":…,"ciphertext":…}`.
    ///
    /// Never use a nonce twice with the same key: two texts under one nonce reveal each other, and
    /// let an attacker forge more.
    pub fn seal(&self, nonce: Nonce, plaintext: &str) -> String {
        // Cannot fail for text that fits in memory. If it did, nobody could open what is sent.
        let ciphertext = self.cipher().encrypt(&nonce.into(), plaintext.as_bytes()).unwrap_or_default();
        let envelope = Envelope { nonce: STANDARD.encode(nonce), ciphertext: STANDARD.encode(ciphertext) };
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// Decrypts the data of an encrypted channel's event.
    ///
    /// # Errors
    /// Returns [`Envelope`](ErrorKind::Envelope) if the data is not encrypted data, so that no key
    /// would help, and [`Decryption`](ErrorKind::Decryption) if this key does not open it, for
    /// example because the master key has changed.
    pub fn open(&self, data: &str) -> Result<String, Error> {
        let (nonce, ciphertext) = parse(data).ok_or_else(|| {
            Error::new(ErrorKind::Envelope, "encrypted data must be JSON with nonce and ciphertext in base64")
        })?;
        let plaintext = self
            .cipher()
            .decrypt(&nonce.into(), ciphertext.as_slice())
            .map_err(|_| Error::new(ErrorKind::Decryption, "the shared secret does not decrypt the data"))?;
        String::from_utf8(plaintext)
            .map_err(|_| Error::new(ErrorKind::Envelope, "the decrypted data is not UTF-8"))
    }

    fn cipher(&self) -> XSalsa20Poly1305 {
        XSalsa20Poly1305::new(&self.0.into())
    }
}

fn parse(data: &str) -> Option<(Nonce, Vec<u8>)> {
    let Object(envelope): Object<Envelope> = serde_json::from_str(data).ok()?;
    let nonce = LENIENT.decode(envelope.nonce).ok()?.try_into().ok()?;
    Some((nonce, LENIENT.decode(envelope.ciphertext).ok()?))
}

impl Signer {
    /// Returns the key of an encrypted channel, for a backend that publishes on it.
    ///
    /// # Errors
    /// Returns [`EncryptionKeyRequired`](ErrorKind::EncryptionKeyRequired) if the signer has no
    /// master key.
    pub fn shared_secret(&self, channel: &ChannelName) -> Result<SharedSecret, Error> {
        self.required_master_key().map(|key| SharedSecret::derive(channel, key))
    }
}

impl FromStr for SharedSecret {
    type Err = Error;

    fn from_str(base64: &str) -> Result<Self, Error> {
        Self::from_base64(base64)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedSecret").finish_non_exhaustive()
    }
}
