use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::Error;
#[cfg(feature = "http")]
use crate::proxy::ProxySource;

/// The certificate authorities that TLS connections trust.
///
/// TLS is rustls with ring. The process-wide crypto provider of rustls is neither used nor set.
#[derive(Clone)]
pub struct Roots {
    base: Base,
    added: Vec<CertificateDer<'static>>,
}

#[derive(Clone, Copy, Debug)]
enum Base {
    None,
    Mozilla,
    Platform,
}

impl Roots {
    /// Trusts Mozilla's authorities.
    pub fn new() -> Self {
        Self { base: Base::Mozilla, added: Vec::new() }
    }

    /// Trusts the authorities that the operating system trusts, with those that an administrator
    /// added. On Linux, `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them; if the system has none,
    /// as in a minimal container, Mozilla's are trusted. Android needs
    /// [`rustls-platform-verifier`](https://docs.rs/rustls-platform-verifier) to be initialized.
    pub fn platform() -> Self {
        Self { base: Base::Platform, added: Vec::new() }
    }

    /// Trusts no authority; add some with [`with_pem`](Self::with_pem) or
    /// [`with_der`](Self::with_der).
    pub fn none() -> Self {
        Self { base: Base::None, added: Vec::new() }
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

    /// Reads a PEM file and adds all of its certificates.
    ///
    /// # Errors
    /// As [`with_pem`](Self::with_pem), and if the file cannot be read.
    pub fn with_pem_file(self, path: impl AsRef<Path>) -> Result<Self, Error> {
        let pem = std::fs::read(path).map_err(|error| {
            Error::configuration("the file of root certificates cannot be read").with_cause(error)
        })?;
        self.with_pem(&pem)
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
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| malformed().with_cause(error))?;
        self.added.push(certificate);
        Ok(())
    }

    pub(crate) fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::configuration("TLS cannot be set up").with_cause(error))?;
        Ok(match self.verifier(&provider)? {
            Some(verifier) => {
                config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
            }
            None => config.with_root_certificates(self.store()?).with_no_client_auth(),
        })
    }

    /// Returns the verifier of the platform, if it is wanted and the platform has authorities.
    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Verifier>, Error> {
        if !matches!(self.base, Base::Platform) {
            return Ok(None);
        }
        check_environment()?;
        match Verifier::new(provider.clone()) {
            Ok(verifier) if self.added.is_empty() => Ok(Some(verifier)),
            Ok(_) => extended(&self.added, provider).map(Some),
            Err(error) if names_certificates() => Err(unusable_environment().with_cause(error)),
            Err(_) => Ok(None),
        }
    }

    fn store(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        if !matches!(self.base, Base::None) {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for certificate in &self.added {
            store.add(certificate.clone()).map_err(|error| malformed().with_cause(error))?;
        }
        Ok(store)
    }

    /// Creates the builder of an HTTP client with these roots, without redirects, and with the
    /// system's proxy unless `host` is this machine. For the other crates of this project.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS cannot be set
    /// up.
    #[cfg(feature = "http")]
    #[doc(hidden)]
    pub fn http_client(&self, host: &str) -> Result<reqwest::ClientBuilder, Error> {
        self.http_client_through(&ProxySource::System, host)
    }

    /// As [`http_client`](Self::http_client), through the proxy at this URL if there is one.
    ///
    /// # Errors
    /// Also returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the proxy's
    /// URL is malformed.
    #[cfg(feature = "http")]
    #[doc(hidden)]
    pub fn http_client_with_proxy(
        &self,
        host: &str,
        proxy: Option<&str>,
    ) -> Result<reqwest::ClientBuilder, Error> {
        let proxy = proxy.map_or(ProxySource::System, |url| ProxySource::Url(url.to_owned()));
        self.http_client_through(&proxy, host)
    }

    #[cfg(feature = "http")]
    pub(crate) fn http_client_through(
        &self,
        proxy: &ProxySource,
        host: &str,
    ) -> Result<reqwest::ClientBuilder, Error> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.client_config()?)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(crate::resolver::HttpResolver)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        proxy.configure(builder, host)
    }
}

const CERT_FILE: &str = "SSL_CERT_FILE";
const CERT_DIR: &str = "SSL_CERT_DIR";

fn names_certificates() -> bool {
    [CERT_FILE, CERT_DIR].into_iter().any(|name| std::env::var_os(name).is_some())
}

/// Checks that the file in `SSL_CERT_FILE` can be read, which the verifier only logs.
fn check_environment() -> Result<(), Error> {
    let file = std::env::var_os(CERT_FILE).filter(|_| cfg!(all(unix, not(target_vendor = "apple"))));
    match file.map(std::fs::File::open) {
        Some(Err(error)) => Err(unusable_environment().with_cause(error)),
        _ => Ok(()),
    }
}

fn unusable_environment() -> Error {
    Error::configuration(format!("the certificates in {CERT_FILE} or {CERT_DIR} cannot be loaded"))
}

#[cfg(not(target_os = "android"))]
fn extended(added: &[CertificateDer<'static>], provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
    Verifier::new_with_extra_roots(added.iter().cloned(), provider.clone())
        .map_err(|error| malformed().with_cause(error))
}

#[cfg(target_os = "android")]
fn extended(_: &[CertificateDer<'static>], _: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
    Err(Error::configuration("on Android, certificates cannot be added to those of the platform"))
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
        f.debug_struct("Roots").field("base", &self.base).field("added", &self.added.len()).finish()
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
