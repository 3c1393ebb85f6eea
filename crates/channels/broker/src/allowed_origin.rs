use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::error::Error;

/// The web pages that may connect, by their origin.
///
/// It is one of
///
/// - `https://app.example.com` or `https://app.example.com:8443`: this scheme, host and port, which
///   is that of the scheme if there is none;
/// - `app.example.com`: this host, with any scheme and port, as in Laravel Reverb's
///   `allowed_origins`;
/// - `app.example.com:8443`: this host and port;
/// - any of these with `*.` before the host: its subdomains at any depth, but not itself;
/// - `*`: every page.
///
/// Names beyond ASCII are written as browsers send them (`xn--…`). The scheme is that of the page,
/// so it is never `ws` or `wss`.
///
/// ```
/// use pusher_broker::AllowedOrigin;
///
/// let origin: AllowedOrigin = "https://*.example.com".parse()?;
/// assert_eq!(origin.to_string(), "https://*.example.com");
/// assert!("https://app.example.com/path".parse::<AllowedOrigin>().is_err());
/// # Ok::<(), pusher_broker::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Origin { scheme: Option<String>, subdomains: bool, host: String, port: Option<u16> },
}

impl AllowedOrigin {
    /// Returns whether a page with this `Origin` header may connect.
    pub(crate) fn allows(&self, header: &str) -> bool {
        let Pattern::Origin { scheme, subdomains, host, port } = &self.0 else { return true };
        let header = header.to_ascii_lowercase();
        let Some(Parts { scheme: Some(its_scheme), host: its_host, port: its_port }) = Parts::of(&header)
        else {
            return false;
        };
        let is_host = match subdomains {
            true => {
                its_host.strip_suffix(host.as_str()).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.'))
            }
            false => its_host == host,
        };
        let is_port = match (scheme, port) {
            (None, None) => true,
            _ => effective_port(its_scheme, its_port) == effective_port(its_scheme, *port),
        };
        is_host && is_port && scheme.as_ref().is_none_or(|scheme| scheme == its_scheme)
    }
}

fn effective_port(scheme: &str, port: Option<u16>) -> Option<u16> {
    port.or(match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

/// The parts of an origin, in lower case.
struct Parts<'o> {
    scheme: Option<&'o str>,
    host: &'o str,
    port: Option<u16>,
}

impl<'o> Parts<'o> {
    /// Splits an origin. Returns `None` if it has the wrong form, or more than these parts.
    fn of(origin: &'o str) -> Option<Self> {
        let (scheme, authority) = match origin.split_once("://") {
            Some((scheme, authority)) => (Some(scheme), authority),
            None => (None, origin),
        };
        if scheme.is_some_and(|scheme| !is_scheme(scheme)) {
            return None;
        }
        // Colons within the brackets belong to an IPv6 address.
        let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (authority, None),
        };
        Some(Self { scheme, host, port })
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Returns a host as browsers write it, or `None` if it is not one.
fn host_of_browsers(host: &str) -> Option<String> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => Some(in_brackets(address.parse().ok()?)),
        None => is_name(host).then(|| host.to_owned()),
    }
}

/// Writes an address as the URL Standard does, which has no dotted form for an IPv4 address in it.
fn in_brackets(address: Ipv6Addr) -> String {
    match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("[::ffff:{high:x}:{low:x}]"),
        _ => format!("[{address}]"),
    }
}

fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // `Origin: null` is that of pages without an origin, so nothing else can be meant by it.
    host.split('.').all(is_label) && host != "null"
}

impl FromStr for AllowedOrigin {
    type Err = Error;

    /// Parses an origin.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidOrigin`](crate::ErrorKind::InvalidOrigin) for other text, such
    /// as a URL with a path.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "*" {
            return Ok(Self(Pattern::Any));
        }
        let origin = text.to_ascii_lowercase();
        let Parts { scheme, host, port } = Parts::of(&origin).ok_or_else(|| Error::invalid_origin(text))?;
        let (host, subdomains) = match host.strip_prefix("*.") {
            Some(host) => (host, true),
            None => (host, false),
        };
        let is_page = !matches!(scheme, Some("ws" | "wss"));
        let may_be = is_page && !(subdomains && host.starts_with('['));
        let host = host_of_browsers(host).filter(|_| may_be).ok_or_else(|| Error::invalid_origin(text))?;
        let scheme = scheme.map(str::to_owned);
        Ok(Self(Pattern::Origin { scheme, subdomains, host, port }))
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pattern::Origin { scheme, subdomains, host, port } = &self.0 else { return f.write_str("*") };
        if let Some(scheme) = scheme {
            write!(f, "{scheme}://")?;
        }
        write!(f, "{}{host}", if *subdomains { "*." } else { "" })?;
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_allows_its_origins_alone() {
        for (pattern, allowed, refused) in [
            ("*", &["https://a.example", "null", "x"][..], &[][..]),
            (
                "https://App.example",
                &["https://app.example", "https://app.example:443", "HTTPS://APP.EXAMPLE"],
                &["http://app.example", "https://app.example:8443", "https://x.app.example", "null", ""],
            ),
            ("https://app.example:8443", &["https://app.example:8443"], &["https://app.example"]),
            ("app.example:443", &["https://app.example", "http://app.example:443"], &["http://app.example"]),
            (
                "app.example",
                &["https://app.example", "http://app.example:3000", "capacitor://app.example"],
                &[
                    "app.example",
                    "https://app.example.evil",
                    "https://evilapp.example",
                    "https://a@app.example",
                ],
            ),
            (
                "*.app.example",
                &["https://a.app.example", "http://a.b.app.example:1"],
                &["https://app.example", "https://.app.example", "https://evilapp.example"],
            ),
            ("http://[::1]:3000", &["http://[::1]:3000"], &["http://[::1]", "http://[::2]:3000"]),
            ("[::1]", &["http://[::1]:3000", "http://[::1]"], &["http://[::2]"]),
            ("[0:0:0:0:0:0:0:1]", &["http://[::1]:3000"], &["http://[::2]"]),
            ("https://[2001:DB8:0:0::1]", &["https://[2001:db8::1]"], &["https://[2001:db8::2]"]),
            ("[::ffff:192.0.2.1]", &["http://[::ffff:c000:201]"], &["http://192.0.2.1"]),
            ("capacitor://localhost", &["capacitor://localhost"], &["http://localhost"]),
        ] {
            let pattern: AllowedOrigin = pattern.parse().unwrap();
            for origin in allowed {
                assert!(pattern.allows(origin), "{pattern} {origin}");
            }
            for origin in refused {
                assert!(!pattern.allows(origin), "{pattern} {origin}");
            }
            assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            " ",
            "https://",
            "https://a.example/",
            "https://a.example/path",
            "a.example/path",
            "a.example?x",
            "https://user@a.example",
            "https://a.example:0",
            "https://a.example:70000",
            "https://a.example:",
            "://a.example",
            "ws://a.example",
            "WSS://a.example",
            "1://a.example",
            "*.*.example",
            "a.*.example",
            "*example",
            "*.",
            "**",
            "a..example",
            "*.[::1]",
            "[::x]",
            "::1",
            "null",
            "https://bücher.example",
            "https://a.example, https://b.example",
        ] {
            let error = text.parse::<AllowedOrigin>().expect_err(text);
            assert_eq!(error.kind(), crate::ErrorKind::InvalidOrigin);
        }
    }
}
