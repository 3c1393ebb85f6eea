use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey};

/// A public key that verifies tokens. What kind of key it is pins the algorithm.
#[derive(Clone)]
pub struct PublicKey {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
}

/// Bytes of an uncompressed point of P-256.
const P256_BYTES: usize = 65;
/// Fewer bytes than an RSA key of 2,048 bits has as PKCS #1.
const RSA_BYTES: usize = 260;

impl PublicKey {
    /// Reads a PEM file: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA).
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(pem).map_err(|_| "a PEM file is text")?;
        if text.contains("PRIVATE KEY-----") {
            return Err(
                "it holds a private key, which must not be here; it may be a PEM file with PUBLIC KEY",
            );
        }
        if !text.contains("PUBLIC KEY-----") {
            return Err("it may be a PEM file with PUBLIC KEY");
        }
        if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            return match key.as_bytes() {
                [4, ..] if key.as_bytes().len() == P256_BYTES => {
                    Ok(Self { key, algorithm: Algorithm::ES256 })
                }
                _ => Err("an EC key must be of the curve P-256 (ES256)"),
            };
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return Ok(Self { key, algorithm: Algorithm::EdDSA });
        }
        match DecodingKey::from_rsa_pem(pem) {
            Ok(key) if key.as_bytes().len() < RSA_BYTES => Err("an RSA key must have at least 2048 bits"),
            Ok(key) => Ok(Self { key, algorithm: Algorithm::RS256 }),
            Err(_) => Err("it is no RSA, P-256 or Ed25519 key"),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
