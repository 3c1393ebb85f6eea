use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::variables::Variables;
use super::{ConfigError, Variable, listen};

pub(crate) const ALLOWED_HOSTS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_ALLOWED_HOSTS",
    method: "with_allowed_hosts",
    default: None,
    allowed: "names like `inbox.example.com` or `inbox.example.com:8443`, separated by commas, or `*`",
    purpose: "The Host headers that the server accepts. By default all, or on loopback only its names.",
};

/// The Host headers that the server accepts. Without this check, a web page could reach a server on
/// loopback through a name of its own (DNS rebinding).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowedHosts {
    /// All hosts.
    Any,
    /// These hosts, in any case: a name or an address, which is accepted with every port, or
    /// `host:port`.
    Only(Vec<String>),
}

impl AllowedHosts {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Option<Self>, ConfigError> {
        let names = variables.list(&ALLOWED_HOSTS);
        if names.is_empty() {
            return Ok(None);
        }
        if names.iter().any(|name| name == "*") {
            return Ok(Some(Self::Any));
        }
        let wrong = |name: &&String| name.contains('/') || name.chars().any(char::is_whitespace);
        match names.iter().find(wrong) {
            Some(name) => Err(ConfigError::not_allowed(&ALLOWED_HOSTS, name)),
            None => Ok(Some(Self::Only(names))),
        }
    }

    /// Returns the default for a server that listens on this address: on loopback its names and
    /// that address, elsewhere all hosts.
    pub fn default_for(listen: SocketAddr) -> Self {
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

    /// Returns whether a Host header, or the authority of a request's URL, is accepted.
    pub fn allows(&self, host: &str) -> bool {
        let Self::Only(names) = self else { return true };
        let name = without_port(host);
        let address = address(name);
        names.iter().any(|allowed| {
            allowed.eq_ignore_ascii_case(host)
                || allowed.eq_ignore_ascii_case(name)
                || (address.is_some() && self::address(allowed) == address)
        })
    }
}

/// Parses a host that is an address. IPv6 addresses have brackets and several spellings.
fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// Returns the host without `:port`, leaving the colons of a bracketed IPv6 address.
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
    fn names_of_loopback_are_accepted_with_any_port() {
        let hosts = AllowedHosts::default_for(SocketAddr::from(([127, 0, 0, 1], 8080)));
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
    fn another_loopback_address_is_accepted_if_the_server_listens_on_it() {
        let of = |listen: &str| AllowedHosts::default_for(listen.parse().unwrap());
        let second = of("127.0.0.2:8080");
        assert!(second.allows("127.0.0.2:8080") && second.allows("localhost") && !second.allows("127.0.0.3"));
        let mapped = of("[::ffff:127.0.0.1]:8080");
        for host in ["[::ffff:127.0.0.1]:8080", "[::ffff:7f00:1]", "127.0.0.1"] {
            assert!(mapped.allows(host), "{host}");
        }
        assert!(!mapped.allows("[::ffff:127.0.0.2]") && !mapped.allows("::ffff:127.0.0.1"));
    }

    #[test]
    fn a_host_with_a_port_is_accepted_with_that_port_only() {
        let hosts = AllowedHosts::Only(vec!["Inbox.example:8443".into()]);
        assert!(hosts.allows("inbox.example:8443"));
        assert!(hosts.allows("INBOX.EXAMPLE:8443"), "in any case");
        assert!(!hosts.allows("inbox.example"));
        assert!(!hosts.allows("inbox.example:80"));
    }
}
