//! Encrypted channels (`private-encrypted-…`): the data of their events, sealed by the publisher and opened by the subscribers,
//! never by the Channels server (Pusher's "end-to-end encryption"). NaCl's secretbox: XSalsa20-Poly1305.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use pusher_protocol::ChannelName;
use serde::{Deserialize, Serialize};

use crate::encryption::EncryptionMasterKey;
use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// Standard base64 with or without its padding: Pusher's Java library leaves it out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The length of a [`Nonce`], in bytes.
pub const NONCE_BYTES: usize = 24;

/// A number used once with a key. Random ones are long enough never to meet again; a generator fit for cryptography is the
/// caller's to choose.
pub type Nonce = [u8; NONCE_BYTES];

/// The key of one encrypted channel.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret([u8; 32]);

#[derive(Serialize, Deserialize)]
struct Envelope {
    nonce: String,
    ciphertext: String,
}

impl SharedSecret {
    /// The key of `channel`: SHA-256 over its name and the master key.
    pub fn derive(channel: &ChannelName, master_key: &EncryptionMasterKey) -> Self {
        Self(master_key.derive(channel))
    }

    /// The key from the `shared_secret` of a [`ChannelAuthorization`](crate::ChannelAuthorization): base64, padded or not.
    ///
    /// # Errors
    /// [`EncryptionKey`](ErrorKind::EncryptionKey) when it is not 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        LENIENT.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(|| {
            Error::new(ErrorKind::EncryptionKey, "a shared secret is base64 of exactly 32 bytes")
        })
    }

    /// The key as an auth endpoint hands it out: base64 of 44 characters.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// The data of an event that says `plaintext`: `{"nonce":…,"ciphertext":…}`, as it is published.
    ///
    /// `nonce` must never have sealed anything else with this key: whoever sees two texts under one nonce can read from
    /// their difference, and forge.
    pub fn seal(&self, nonce: Nonce, plaintext: &str) -> String {
        // Fails for no text that fits into memory; what would be sent instead opens for nobody.
        let ciphertext = self.cipher().encrypt(&nonce.into(), plaintext.as_bytes()).unwrap_or_default();
        let envelope = Envelope { nonce: STANDARD.encode(nonce), ciphertext: STANDARD.encode(ciphertext) };
        serde_json::to_string(&envelope).unwrap_or_default()
    }

    /// What the data of an encrypted channel's event says.
    ///
    /// # Errors
    /// [`Envelope`](ErrorKind::Envelope): the data is no sealed one, and another key would not help;
    /// [`Decryption`](ErrorKind::Decryption): this key does not open it, as after a change of the master key.
    pub fn open(&self, data: &str) -> Result<String, Error> {
        let (nonce, ciphertext) = parse(data).ok_or_else(|| {
            Error::new(ErrorKind::Envelope, "the data is no JSON with a nonce and a ciphertext in base64")
        })?;
        let plaintext = self
            .cipher()
            .decrypt(&nonce.into(), ciphertext.as_slice())
            .map_err(|_| Error::new(ErrorKind::Decryption, "the shared secret does not open the data"))?;
        String::from_utf8(plaintext)
            .map_err(|_| Error::new(ErrorKind::Envelope, "what was sealed is no UTF-8 text"))
    }

    fn cipher(&self) -> XSalsa20Poly1305 {
        XSalsa20Poly1305::new(&self.0.into())
    }
}

fn parse(data: &str) -> Option<(Nonce, Vec<u8>)> {
    let envelope: Envelope = serde_json::from_str(data).ok()?;
    let nonce = LENIENT.decode(envelope.nonce).ok()?.try_into().ok()?;
    Some((nonce, LENIENT.decode(envelope.ciphertext).ok()?))
}

impl Signer {
    /// The key of an encrypted channel, for a backend that publishes on it.
    ///
    /// # Errors
    /// [`EncryptionKeyRequired`](ErrorKind::EncryptionKeyRequired) when this signer has no master key.
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
