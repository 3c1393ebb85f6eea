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
