//! The errors of connecting, the same for WebSocket and HTTP.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;

use crate::{Error, ErrorKind};

/// Returns the error for a host name that does not resolve.
pub(crate) fn unresolved(host: &str, cause: io::Error) -> Error {
    Error::new(ErrorKind::Dns, format!("the name {host} could not be resolved")).with_cause(cause)
}

/// Returns the error for `host:port` if no TCP connection could be made.
pub(crate) fn unreachable(authority: &str, cause: io::Error) -> Error {
    Error::new(ErrorKind::Unreachable, format!("{authority} could not be reached")).with_cause(cause)
}

/// Returns the error for a failed TLS handshake.
pub(crate) fn tls(host: &str, error: &rustls::Error) -> Error {
    let rustls::Error::InvalidCertificate(reason) = error else {
        let message = format!("the TLS handshake with {host} failed");
        return Error::new(ErrorKind::Network, message).with_cause(error.clone());
    };
    let problem = match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; check this machine's clock"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name"
        }
        CertificateError::UnknownIssuer => "is self-signed, or of an authority that is not trusted",
        _ => "is not trusted",
    };
    let message = format!("the certificate of {host} {problem}");
    Error::new(ErrorKind::Certificate, message).with_cause(error.clone())
}

/// Returns the error for an HTTP request without a response. The URL is omitted: it may contain a
/// signature or an id. For the other crates of this project.
#[cfg(feature = "http")]
#[doc(hidden)]
pub fn http_error(error: reqwest::Error) -> Error {
    let url = error.url();
    let host = url.and_then(reqwest::Url::host_str).unwrap_or("the server").to_owned();
    let port = url.and_then(reqwest::Url::port_or_known_default);
    let error = error.without_url();
    // A name that does not resolve, from our own resolver.
    if let Some(known) = find::<Error>(&error) {
        return known.clone();
    }
    if let Some(error) = find::<rustls::Error>(&error) {
        return tls(&host, error);
    }
    // hyper-util does not export this error.
    let tunnel = causes(&error).map(ToString::to_string).find(|text| text.starts_with("tunnel error"));
    if let Some(problem) = tunnel {
        return match problem.contains("proxy authorization required") {
            true => proxy_wants_password(),
            false => Error::new(ErrorKind::Proxy, "the proxy did not open a tunnel").with_cause(error),
        };
    }
    if error.is_timeout() {
        return Error::new(ErrorKind::Timeout, format!("{host} did not answer in time")).with_cause(error);
    }
    match find::<io::Error>(&error) {
        Some(cause) if error.is_connect() => {
            let authority = port.map(|port| format!("{host}:{port}"));
            unreachable(&authority.unwrap_or(host), copy(cause))
        }
        _ => Error::new(ErrorKind::Network, format!("the connection to {host} failed")).with_cause(error),
    }
}

/// Returns the error for a proxy that answers 407.
pub(crate) fn proxy_wants_password() -> Error {
    let message = "the proxy requires a name and password, or rejects those of its URL (407)";
    Error::new(ErrorKind::Proxy, message).with_code(Some(407))
}

/// Finds the error of this type in a chain of causes.
pub(crate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause_of(*error))
}

fn cause_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // The source of an `io::Error` is that of the error inside it.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Returns the messages of an error and its causes, to compare.
#[cfg(feature = "websocket")]
pub(crate) fn chain(error: &Error) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Copies an error of the operating system.
pub(crate) fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}
