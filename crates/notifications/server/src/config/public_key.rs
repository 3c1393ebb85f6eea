use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey};

/// A public key that verifies tokens. The kind of key determines the only accepted algorithm.
#[derive(Clone)]
pub struct PublicKey {
    pub(crate) key: DecodingKey,
    pub(crate) algorithm: Algorithm,
}

/// The size of an uncompressed P-256 point.
const P256_BYTES: usize = 65;
/// Just below the size of a 2,048-bit RSA key in PKCS #1.
const RSA_BYTES: usize = 260;

impl PublicKey {
    /// Parses a PEM file: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA).
    ///
    /// # Errors
    /// Returns a description of the problem if it is not such a key, or if it is a private key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(pem).map_err(|_| "a PEM file must be text")?;
        if text.contains("PRIVATE KEY-----") {
            return Err("it contains a private key; only the PEM file of the public key belongs here");
        }
        if !text.contains("PUBLIC KEY-----") {
            return Err("it must be a PEM file with a PUBLIC KEY block");
        }
        if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            return match key.as_bytes() {
                [4, ..] if key.as_bytes().len() == P256_BYTES => {
                    Ok(Self { key, algorithm: Algorithm::ES256 })
                }
                _ => Err("an EC key must be on the curve P-256 (ES256)"),
            };
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return Ok(Self { key, algorithm: Algorithm::EdDSA });
        }
        match DecodingKey::from_rsa_pem(pem) {
            Ok(key) if key.as_bytes().len() < RSA_BYTES => Err("an RSA key must have at least 2048 bits"),
            Ok(key) => Ok(Self { key, algorithm: Algorithm::RS256 }),
            Err(_) => Err("it is not an RSA, P-256 or Ed25519 key"),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
