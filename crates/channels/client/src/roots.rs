use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::{Error, ErrorKind};

/// The certificate authorities that TLS connections trust: Mozilla's, and those added.
///
/// TLS runs on ring through a configuration of its own: never on rustls's process-wide default, which the host
/// application may have set to something else, or not at all.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Mozilla's authorities.
    pub fn new() -> Self {
        Self(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }))
    }

    /// No authorities: those to be trusted are added with [`with_pem`](Self::with_pem) or [`with_der`](Self::with_der).
    pub fn none() -> Self {
        Self(Arc::new(RootCertStore::empty()))
    }

    /// Adds every certificate of a PEM text.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it holds none, or one that cannot be read.
    pub fn with_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.add(certificate.map_err(|_| unreadable())?)?;
            found = true;
        }
        if found { Ok(self) } else { Err(unreadable()) }
    }

    /// Adds a certificate in DER.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it cannot be read.
    pub fn with_der(mut self, der: &[u8]) -> Result<Self, Error> {
        self.add(CertificateDer::from(der.to_vec()))?;
        Ok(self)
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), Error> {
        Arc::make_mut(&mut self.0).add(certificate).map_err(|_| unreadable())
    }

    pub(crate) fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::new(ErrorKind::Configuration, "TLS could not be set up"))?;
        Ok(config.with_root_certificates(self.0.clone()).with_no_client_auth())
    }

    /// An HTTP client's builder as our own clients use it: these roots, no redirects, and no proxy for a `host` that is
    /// this machine. For the other crates of this project; its type follows reqwest's versions.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when TLS cannot be set up.
    #[cfg(feature = "http")]
    #[doc(hidden)]
    pub fn http_client(&self, host: &str) -> Result<reqwest::ClientBuilder, Error> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.client_config()?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        Ok(if crate::endpoint::is_loopback(host) { builder.no_proxy() } else { builder })
    }
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Configuration, "the root certificate cannot be read")
}

impl Default for Roots {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roots").field("certificates", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Roots::new().with_pem(b"nothing").is_err());
        assert!(
            Roots::new().with_pem(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err()
        );
        assert!(Roots::none().with_der(&[1, 2, 3]).is_err());
    }

    #[test]
    #[cfg(feature = "http")]
    fn an_http_client_can_be_built_without_a_process_wide_provider() {
        assert!(Roots::new().http_client("127.0.0.1").unwrap().build().is_ok());
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}
