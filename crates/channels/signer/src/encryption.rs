use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pusher_protocol::ChannelName;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};

/// The encryption master key of an app, 32 bytes, from which the key of each encrypted channel is
/// derived (Pusher's "encrypted channels"). The Channels server never sees it. Parse it from
/// standard base64 of 44 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionMasterKey([u8; 32]);

impl EncryptionMasterKey {
    /// Creates a key from its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the key of a channel in base64: the `shared_secret` of an auth endpoint's answer.
    pub fn shared_secret(&self, channel: &ChannelName) -> String {
        STANDARD.encode(self.derive(channel))
    }

    pub(crate) fn derive(&self, channel: &ChannelName) -> [u8; 32] {
        derive_shared_secret(channel.as_str(), &self.0)
    }
}

/// Hashes the channel's name and the master key with SHA-256. The key may have any length because
/// some published vectors use other lengths.
fn derive_shared_secret(channel: &str, master_key: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(channel).chain_update(master_key).finalize().into()
}

impl FromStr for EncryptionMasterKey {
    type Err = Error;

    fn from_str(base64: &str) -> Result<Self, Error> {
        STANDARD.decode(base64).ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(|| {
            Error::new(ErrorKind::EncryptionKey, "an encryption master key is base64 of exactly 32 bytes")
        })
    }
}

impl fmt::Debug for EncryptionMasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncryptionMasterKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_published_shared_secret_is_reproduced() {
        let file: Value = serde_json::from_str(include_str!("../tests/vectors/auth.json")).unwrap();
        let vectors = file["shared_secret_derivation"].as_array().unwrap();
        assert_eq!(vectors.len(), 9);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let key: Vec<u8> = text("key_bytes_hex")
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            let secret = STANDARD.encode(derive_shared_secret(text("channel"), &key));
            assert_eq!(secret, text("shared_secret_base64"), "{}", text("channel"));
            if let Some(base64) = vector["encryption_master_key_base64"].as_str() {
                let master_key: EncryptionMasterKey = base64.parse().unwrap();
                assert_eq!(master_key.shared_secret(&text("channel").parse().unwrap()), secret);
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", EncryptionMasterKey::new([7; 32])), "EncryptionMasterKey(..)");
    }
}
