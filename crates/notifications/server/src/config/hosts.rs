use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

    /// The default for a server that listens there: loopback's names and that address on loopback, every name elsewhere.
    pub fn of(listen: SocketAddr) -> Self {
        match listen::is_loopback(listen) {
            true => {
                let mut names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
                names.push(match listen.ip() {
                    IpAddr::V4(ip) => ip.to_string(),
                    IpAddr::V6(ip) => format!("[{ip}]"),
                });
                Self::Only(names)
            }
            false => Self::Any,
        }
    }

    /// Whether a Host header, or the authority of a request's URL, is one of them.
    pub fn allows(&self, host: &str) -> bool {
        let Self::Only(names) = self else { return true };
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        let address = address(name);
        names.iter().any(|allowed| {
            *allowed == host || allowed == name || (address.is_some() && self::address(allowed) == address)
        })
    }
}

/// The address that a host is; one of IPv6 stands in brackets and can be written in several ways.
fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
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
    fn another_address_of_loopback_is_allowed_where_the_server_listens_on_it() {
        let of = |listen: &str| AllowedHosts::of(listen.parse().unwrap());
        let second = of("127.0.0.2:8080");
        assert!(second.allows("127.0.0.2:8080") && second.allows("localhost") && !second.allows("127.0.0.3"));
        let mapped = of("[::ffff:127.0.0.1]:8080");
        for host in ["[::ffff:127.0.0.1]:8080", "[::ffff:7f00:1]", "127.0.0.1"] {
            assert!(mapped.allows(host), "{host}");
        }
        assert!(!mapped.allows("[::ffff:127.0.0.2]") && !mapped.allows("::ffff:127.0.0.1"));
    }

    #[test]
    fn an_allowed_host_with_a_port_is_that_port_alone() {
        let hosts = AllowedHosts::Only(vec!["inbox.example:8443".into()]);
        assert!(hosts.allows("inbox.example:8443"));
        assert!(!hosts.allows("inbox.example"));
        assert!(!hosts.allows("inbox.example:80"));
    }
}
