use std::str::FromStr;

/// A host, port and scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientEndpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With or without TLS.
    pub scheme: Scheme,
}

/// With or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// Without TLS.
    Http,
}

impl ClientEndpoint {
    /// Returns the endpoint at this host, with TLS on port 443.
    pub fn new(host: impl Into<String>) -> Self {
        let scheme = Scheme::Https;
        Self { host: host.into(), port: scheme.default_port(), scheme }
    }

    /// Sets the port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Sets the scheme, and leaves the port as it is.
    #[must_use]
    pub fn with_scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }
}

impl Scheme {
    /// Returns the scheme as it is written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    pub(super) fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl ClientEndpoint {
    /// Returns the host as it is written in a URL: with brackets around an IPv6 address.
    pub(crate) fn host_in_url(&self) -> String {
        match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

impl FromStr for Scheme {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "https" => Ok(Self::Https),
            "http" => Ok(Self::Http),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_has_brackets_in_a_url_however_it_is_configured() {
        for (host, in_url) in [("::1", "[::1]"), ("[::1]", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("ws", "ws")]
        {
            assert_eq!(ClientEndpoint::new(host).host_in_url(), in_url);
        }
    }
}
