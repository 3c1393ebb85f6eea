use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// The certificate authorities that TLS connections trust.
///
/// TLS is rustls with ring. The process-wide crypto provider of rustls is neither used nor set.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Trusts Mozilla's authorities.
    pub fn new() -> Self {
        Self(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }))
    }

    /// Trusts no authority; add some with [`with_pem`](Self::with_pem) or
    /// [`with_der`](Self::with_der).
    pub fn none() -> Self {
        Self(Arc::new(RootCertStore::empty()))
    }

    /// Adds all certificates of a PEM file.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if there is no
    /// certificate, or one that is malformed.
    pub fn with_pem(mut self, pem: &[u8]) -> Result<Self, Error> {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.add(certificate.map_err(|error| malformed().with_cause(error))?)?;
            found = true;
        }
        match found {
            true => Ok(self),
            false => Err(Error::configuration("the PEM file of root certificates contains no certificate")),
        }
    }

    /// Adds a certificate in DER.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if it is malformed.
    pub fn with_der(mut self, der: &[u8]) -> Result<Self, Error> {
        self.add(CertificateDer::from(der.to_vec()))?;
        Ok(self)
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), Error> {
        Arc::make_mut(&mut self.0).add(certificate).map_err(|error| malformed().with_cause(error))
    }

    pub(crate) fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::configuration("TLS cannot be set up").with_cause(error))?;
        Ok(config.with_root_certificates(self.0.clone()).with_no_client_auth())
    }

    /// Creates the builder of an HTTP client with these roots, without redirects, and without a
    /// proxy if `host` is this machine. For the other crates of this project.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS cannot be set
    /// up.
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

fn malformed() -> Error {
    Error::configuration("a root certificate is malformed")
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
    fn malformed_certificates_are_rejected() {
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
