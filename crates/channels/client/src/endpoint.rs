use crate::Error;

/// The address of a Channels server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// The settings of an endpoint in a builder.
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

    /// Checks the settings. The port defaults to the one of the scheme.
    pub(crate) fn finish(&self) -> Result<Endpoint, Error> {
        let host = self.host.as_deref().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(Error::configuration("set a cluster or a host"));
        }
        if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte)) {
            return Err(Error::configuration("the host must be a name or an IP address"));
        }
        let port = self.port.unwrap_or(if self.tls { 443 } else { 80 });
        Ok(Endpoint { host: host.to_owned(), port, tls: self.tls })
    }
}

impl Endpoint {
    pub(crate) fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Returns the URL of the WebSocket with a checked path prefix (Pusher's protocol reference,
    /// "connection").
    #[cfg(feature = "websocket")]
    pub(crate) fn websocket_url(&self, path_prefix: &str, app_key: &str) -> String {
        let scheme = if self.tls { "wss" } else { "ws" };
        format!(
            "{scheme}://{}{path_prefix}/app/{app_key}?protocol={}&client=rust-{}&version={}",
            self.authority(),
            pusher_protocol::PROTOCOL,
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
        )
    }

    /// Returns the base of HTTP URLs, without a slash at the end.
    #[cfg(feature = "http")]
    pub(crate) fn http_url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

/// Returns `host:port`, with brackets around an IPv6 address.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Checks an app key or id, which becomes a segment of a URL path without encoding.
pub(crate) fn check_segment(what: &str, text: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if text.is_empty() || matches!(text, "." | "..") || !text.bytes().all(plain) {
        return Err(Error::configuration(format!("the {what} may contain only letters, digits and -_.~")));
    }
    Ok(())
}

/// Checks the path before `/app/…` or `/apps/…`. Returns it with a slash before it and none after
/// it, or empty.
pub(crate) fn check_path_prefix(prefix: &str) -> Result<String, Error> {
    let segments = prefix.trim_matches('/');
    if segments.is_empty() {
        return Ok(String::new());
    }
    segments.split('/').try_for_each(|segment| check_segment("path prefix", segment))?;
    Ok(format!("/{segments}"))
}

/// Returns whether a host is this machine, so that no proxy is used.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn endpoint(host: &str, port: Option<u16>, tls: bool) -> Result<Endpoint, Error> {
        EndpointParts { host: Some(host.to_owned()), port, tls }.finish()
    }

    #[test]
    #[cfg(feature = "websocket")]
    fn the_websocket_url_has_the_documented_form() {
        let version = env!("CARGO_PKG_VERSION");
        let url = endpoint("ws-eu.pusher.com", None, true).unwrap().websocket_url("", "key");
        assert_eq!(
            url,
            format!(
                "wss://ws-eu.pusher.com:443/app/key?protocol=7&client=rust-pusher-client&version={version}"
            )
        );
        let url = endpoint("::1", Some(8080), false).unwrap().websocket_url("/realtime", "key");
        assert!(url.starts_with("ws://[::1]:8080/realtime/app/key?protocol=7&"), "{url}");
        assert_eq!(endpoint("[::1]", Some(8080), false), endpoint("::1", Some(8080), false));
    }

    #[test]
    fn a_host_that_would_change_the_url_is_rejected() {
        for host in ["", "a/b", "a?b", "user@host", "a b", "a#b"] {
            assert_eq!(endpoint(host, None, true).unwrap_err().kind(), ErrorKind::Configuration, "{host:?}");
        }
        assert_eq!(EndpointParts::new().finish().unwrap_err().kind(), ErrorKind::Configuration);
        for segment in ["", "a/b", "..", "a?b", "a b", "é"] {
            assert!(check_segment("app key", segment).is_err(), "{segment:?}");
        }
    }

    #[test]
    fn a_path_prefix_may_have_slashes_around_it() {
        for (prefix, checked) in [("", ""), ("/", ""), ("a", "/a"), ("/a/b-c/", "/a/b-c")] {
            assert_eq!(check_path_prefix(prefix).unwrap(), checked);
        }
        for prefix in ["a//b", "..", "a?b", "a b"] {
            assert!(check_path_prefix(prefix).is_err(), "{prefix:?}");
        }
    }

    #[test]
    fn loopback_is_recognized_by_name_and_address() {
        for (host, loopback) in
            [("localhost", true), ("127.0.0.1", true), ("[::1]", true), ("10.0.0.1", false)]
        {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }
}
