use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// What the value of `PUSHER_URL` names: an app, its key and secret, and its server. It has the
/// form `https://KEY:SECRET@HOST[:PORT]/apps/ID`, or `http://` for no TLS.
///
/// ```
/// use pusher_signer::PusherUrl;
///
/// let url: PusherUrl = "https://key:secret@api-eu.pusher.com/apps/17".parse()?;
/// assert_eq!((url.app_id.as_str(), url.signer.key()), ("17", "key"));
/// assert_eq!(url.base_url(), "https://api-eu.pusher.com");
/// # Ok::<(), pusher_signer::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PusherUrl {
    /// Signs with the app's key and secret.
    pub signer: Signer,
    /// The id of the app, as in the paths of the HTTP API.
    pub app_id: String,
    /// Whether the server is reached with TLS.
    pub tls: bool,
    /// The name or address of the server; an IPv6 address is in brackets.
    pub host: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
}

impl PusherUrl {
    /// Returns the URL of the server, without a slash at the end and without key and secret.
    pub fn base_url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }
}

impl FromStr for PusherUrl {
    type Err = Error;

    /// Parses the value of `PUSHER_URL`. Key and secret are percent-encoded where needed.
    ///
    /// # Errors
    /// Returns [`Url`](ErrorKind::Url) if it has another form. The text does not contain the URL.
    fn from_str(url: &str) -> Result<Self, Error> {
        parse(url).ok_or_else(|| {
            Error::new(ErrorKind::Url, "the URL must have the form https://KEY:SECRET@HOST[:PORT]/apps/ID")
        })
    }
}

impl Signer {
    /// Creates a signer from the key and secret in the value of `PUSHER_URL`; see [`PusherUrl`] for
    /// the app's id and server.
    ///
    /// # Errors
    /// Returns [`Url`](ErrorKind::Url) if it has another form. The text does not contain the URL.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        url.parse().map(|PusherUrl { signer, .. }| signer)
    }
}

fn parse(url: &str) -> Option<PusherUrl> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let tls = scheme.eq_ignore_ascii_case("https");
    if !tls && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let (authority, path) = rest.split_once('/')?;
    let (user, server) = authority.rsplit_once('@')?;
    let (key, secret) = user.split_once(':')?;
    let (host, port) = host_and_port(server)?;
    let app_id = path.strip_prefix("apps/")?.trim_end_matches('/');
    if app_id.is_empty() || app_id.contains(['/', '?', '#']) {
        return None;
    }
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
        (!text.is_empty()).then_some(text)
    };
    let signer = Signer::new(decoded(key)?, &decoded(secret)?);
    Some(PusherUrl { signer, app_id: app_id.to_owned(), tls, host: host.to_owned(), port })
}

fn host_and_port(server: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (server, None),
    };
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_valid = match name {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || r":[]?#\%".contains(c)),
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
        None => None,
    };
    is_valid.then_some((host, port))
}
