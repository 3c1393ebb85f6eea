use std::net::SocketAddr;

use super::variables::Variables;
use super::{ConfigError, listen};

const NAME: &str = "INTERNAL_NOTIFICATIONS_ALLOWED_HOSTS";

/// The Host headers that the server answers to. Without that check a web page could reach a server on loopback under a name of its own
/// (DNS rebinding).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowedHosts {
    /// Every host.
    Any,
    /// These: a name or an address, which is allowed with every port, or `host:port`. In lower case.
    Only(Vec<String>),
}

impl AllowedHosts {
    pub(crate) fn from_env(variables: &Variables<'_>, listen: SocketAddr) -> Result<Self, ConfigError> {
        let names = variables.list(NAME);
        if names.is_empty() {
            return Ok(Self::of(listen));
        }
        if names.iter().any(|name| name == "*") {
            return Ok(Self::Any);
        }
        let wrong = |name: &&String| name.contains('/') || name.chars().any(char::is_whitespace);
        match names.iter().find(wrong) {
            Some(name) => Err(ConfigError::new(
                NAME,
                format!(
                    "{name:?} is not allowed; it may be names like inbox.example.com or inbox.example.com:8443, with commas between them, or *"
                ),
            )),
            None => Ok(Self::Only(names.iter().map(|name| name.to_ascii_lowercase()).collect())),
        }
    }

    /// The default for a server that listens there: loopback's names on loopback, every name elsewhere.
    pub fn of(listen: SocketAddr) -> Self {
        match listen::is_loopback(listen) {
            true => Self::Only(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec()),
            false => Self::Any,
        }
    }

    /// Whether a Host header, or the authority of a request's URL, is one of them.
    pub fn allows(&self, host: &str) -> bool {
        let Self::Only(names) = self else { return true };
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        names.iter().any(|allowed| *allowed == host || allowed == name)
    }
}

/// The host without `:port`; the colons of a bracketed IPv6 address are its own.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_are_allowed_with_any_port() {
        let hosts = AllowedHosts::of(SocketAddr::from(([127, 0, 0, 1], 8080)));
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]", "[::1]:9"] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil:80",
            "evil:localhost",
            "::1",
            "localhost:x",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
    }

    #[test]
    fn an_allowed_host_with_a_port_is_that_port_alone() {
        let hosts = AllowedHosts::Only(vec!["inbox.example:8443".into()]);
        assert!(hosts.allows("inbox.example:8443"));
        assert!(!hosts.allows("inbox.example"));
        assert!(!hosts.allows("inbox.example:80"));
    }
}
