use crate::{Error, ErrorKind};

/// Where a Channels server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// What a builder gathers of an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct EndpointParts {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) tls: bool,
}

impl EndpointParts {
    pub(crate) fn new() -> Self {
        Self { host: None, port: None, tls: true }
    }

    /// The endpoint, with the scheme's usual port when none was given.
    pub(crate) fn finish(&self) -> Result<Endpoint, Error> {
        let host = self.host.as_deref().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(Error::new(ErrorKind::Configuration, "a cluster or a host is needed"));
        }
        if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte)) {
            return Err(Error::new(ErrorKind::Configuration, "the host is neither a name nor an address"));
        }
        let port = self.port.unwrap_or(if self.tls { 443 } else { 80 });
        Ok(Endpoint { host: host.to_owned(), port, tls: self.tls })
    }
}

impl Endpoint {
    /// `host:port`, with the brackets that an IPv6 address needs.
    pub(crate) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// The URL of the WebSocket (Pusher's protocol reference, "connection").
    #[cfg(feature = "websocket")]
    pub(crate) fn websocket_url(&self, path_prefix: &str, app_key: &str) -> String {
        let scheme = if self.tls { "wss" } else { "ws" };
        let prefix = path_prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!(
            "{scheme}://{}{slash}{prefix}/app/{app_key}?protocol={}&client=rust-{}&version={}",
            self.authority(),
            pusher_protocol::PROTOCOL,
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
        )
    }

    /// The base of HTTP URLs, without a slash at its end.
    #[cfg(feature = "http")]
    pub(crate) fn http_url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

/// Refuses an app key or id that would not stand in a path as it is.
pub(crate) fn check_segment(what: &str, text: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if text.is_empty() || matches!(text, "." | "..") || !text.bytes().all(plain) {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("the {what} must be letters, digits and -_.~"),
        ));
    }
    Ok(())
}

/// Whether a host is this machine, where no proxy helps.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str, port: Option<u16>, tls: bool) -> Result<Endpoint, Error> {
        EndpointParts { host: Some(host.to_owned()), port, tls }.finish()
    }

    #[test]
    #[cfg(feature = "websocket")]
    fn the_url_is_the_documented_one() {
        let version = env!("CARGO_PKG_VERSION");
        let url = endpoint("ws-eu.pusher.com", None, true).unwrap().websocket_url("", "key");
        assert_eq!(
            url,
            format!(
                "wss://ws-eu.pusher.com:443/app/key?protocol=7&client=rust-pusher-client&version={version}"
            )
        );
        let url = endpoint("::1", Some(8080), false).unwrap().websocket_url("/realtime/", "key");
        assert!(url.starts_with("ws://[::1]:8080/realtime/app/key?protocol=7&"), "{url}");
    }

    #[test]
    fn a_host_that_would_change_the_url_is_refused() {
        for host in ["", "a/b", "a?b", "user@host", "a b", "a#b"] {
            assert_eq!(endpoint(host, None, true).unwrap_err().kind(), ErrorKind::Configuration, "{host:?}");
        }
        assert_eq!(EndpointParts::new().finish().unwrap_err().kind(), ErrorKind::Configuration);
        for segment in ["", "a/b", "..", "a?b", "a b", "é"] {
            assert!(check_segment("app key", segment).is_err(), "{segment:?}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_address() {
        for (host, loopback) in
            [("localhost", true), ("127.0.0.1", true), ("[::1]", true), ("10.0.0.1", false)]
        {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }
}
