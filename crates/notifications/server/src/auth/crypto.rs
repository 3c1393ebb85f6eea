//! A cryptography provider for jsonwebtoken on top of ring. Its own providers would add further
//! cryptography libraries, and it panics at first use if none, or more than one, is enabled.

use jsonwebtoken::crypto::{CryptoProvider, JwkUtils, JwtSigner, JwtVerifier};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};

/// Installs ring as the process's provider, unless the host application has installed another one.
pub(super) fn install() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: signer,
        verifier_factory: verifier,
        jwk_utils: JwkUtils::new_unimplemented(),
    };
    let _ = PROVIDER.install_default();
}

struct Hmac(hmac::Key);

struct Public {
    key: Vec<u8>,
    algorithm: Algorithm,
    verification: &'static dyn VerificationAlgorithm,
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hmac::new(key.try_get_hmac_secret()?))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let (family, verification): (_, &'static dyn VerificationAlgorithm) = match algorithm {
        Algorithm::HS256 => return Ok(Box::new(Hmac::new(key.try_get_hmac_secret()?))),
        Algorithm::RS256 => (AlgorithmFamily::Rsa, &RSA_PKCS1_2048_8192_SHA256),
        Algorithm::ES256 => (AlgorithmFamily::Ec, &ECDSA_P256_SHA256_FIXED),
        Algorithm::EdDSA => (AlgorithmFamily::Ed, &ED25519),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) if key.family() == family => {
            Ok(Box::new(Public { key: bytes.clone(), algorithm: *algorithm, verification }))
        }
        _ => Err(ErrorKind::InvalidKeyFormat.into()),
    }
}

impl Hmac {
    fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl Signer<Vec<u8>> for Hmac {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hmac {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hmac {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hmac {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(self.verification, &self.key)
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Public {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_family_verifies_nothing() {
        let secret = DecodingKey::from_secret(b"secret");
        let ed = DecodingKey::from_ed_der(&[0; 32]);
        for (algorithm, key) in [
            (Algorithm::RS256, &secret),
            (Algorithm::EdDSA, &secret),
            (Algorithm::ES256, &ed),
            (Algorithm::HS256, &ed),
        ] {
            assert!(verifier(&algorithm, key).is_err(), "{algorithm:?}");
        }
        assert!(verifier(&Algorithm::EdDSA, &ed).is_ok());
        assert!(verifier(&Algorithm::HS512, &secret).is_err());
    }

    #[test]
    fn installing_twice_is_harmless() {
        install();
        install();
    }
}
