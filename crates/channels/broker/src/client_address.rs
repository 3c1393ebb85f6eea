use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::trusted_proxy::TrustedProxy;

/// Returns the address that a client's connections are counted under, or `None` if they are not
/// counted: without [`ConnectInfo`], or from a loopback or private address that is not a trusted
/// proxy, since all clients of a proxy that was not configured would count as one there.
///
/// An IPv6 address is counted as its network of 64 bits, which is what one customer has at least.
pub(crate) fn client_address(parts: &Parts, proxies: &[TrustedProxy]) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let peer = peer.ip().to_canonical();
    let is_trusted = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let client = match is_trusted(peer) {
        true => forwarded_for(&parts.headers, is_trusted)?,
        false => Some(peer).filter(|peer| !is_local(*peer))?,
    };
    Some(network(client))
}

/// Reads `X-Forwarded-For` from its right end, where the nearest proxy writes, as long as the
/// proxies are trusted. What is further left may have been made up by the client.
fn forwarded_for(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut nearest = None;
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        // Each hop is decoded apart, since the client's part of the line may hold any bytes.
        let hops = value.as_bytes().rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for hop in hops.filter(|hop| !hop.is_empty()) {
            let address = address(std::str::from_utf8(hop).ok()?)?;
            if !is_trusted(address) {
                return Some(address);
            }
            nearest = Some(address);
        }
    }
    nearest
}

/// Parses an address, to which some proxies add the port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    Some(bare.parse().ok().or_else(with_port)?.to_canonical())
}

/// Returns whether only machines on the same network have such an address.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            // 100.64.0.0/10 is the network between a provider and its customers (RFC 6598).
            let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    /// Returns the address of a client whose request has these values of `X-Forwarded-For`.
    fn client(peer: &str, forwarded: &[impl AsRef<[u8]>]) -> Option<String> {
        let mut request = Request::new(());
        for value in forwarded {
            let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
            request.headers_mut().append("x-forwarded-for", value);
        }
        let (mut parts, ()) = request.into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let proxies = ["10.0.0.0/8", "203.0.113.7", "2001:db8:f::/48"].map(|proxy| proxy.parse().unwrap());
        client_address(&parts, &proxies).map(|address| address.to_string())
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_claims() {
        for (peer, counted) in [
            ("198.51.100.1", Some("198.51.100.1")),
            ("::ffff:198.51.100.1", Some("198.51.100.1")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::")),
            ("127.0.0.1", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
            ("192.168.1.1", None),
            ("169.254.1.1", None),
            ("100.64.0.1", None),
            ("100.128.0.1", Some("100.128.0.1")),
            ("fd00::1", None),
            ("fe80::1", None),
        ] {
            assert_eq!(client(peer, &["192.0.2.9"]).as_deref(), counted, "{peer}");
        }
    }

    #[test]
    fn behind_trusted_proxies_the_nearest_address_that_is_not_one_is_the_client() {
        for (peer, forwarded, counted) in [
            ("10.0.0.1", &["192.0.2.9"][..], Some("192.0.2.9")),
            ("::ffff:10.0.0.1", &["192.0.2.9"], Some("192.0.2.9")),
            ("203.0.113.7", &["1.1.1.1, 192.0.2.9"], Some("192.0.2.9")),
            ("203.0.113.7", &["1.1.1.1, 192.0.2.9,10.1.1.1 , 10.2.2.2"], Some("192.0.2.9")),
            ("203.0.113.7", &["1.1.1.1, 192.0.2.9", "10.1.1.1"], Some("192.0.2.9")),
            ("203.0.113.7", &["garbage, 192.0.2.9"], Some("192.0.2.9")),
            // A client in the proxies' own network, and one in another private one.
            ("203.0.113.7", &["10.9.9.9, 10.1.1.1"], Some("10.9.9.9")),
            ("203.0.113.7", &["192.168.1.1"], Some("192.168.1.1")),
            ("203.0.113.7", &["192.0.2.9:4711"], Some("192.0.2.9")),
            ("203.0.113.7", &["[2001:db8:1:2:3::4]:4711"], Some("2001:db8:1:2::")),
            ("203.0.113.7", &["[2001:db8:1:2:3::4]"], Some("2001:db8:1:2::")),
            ("203.0.113.7", &["2001:db8:1:2:3::4"], Some("2001:db8:1:2::")),
            ("2001:db8:f::1", &["::ffff:192.0.2.9"], Some("192.0.2.9")),
            ("203.0.113.7", &["192.0.2.9, unknown"], None),
            ("203.0.113.7", &[""], None),
            ("203.0.113.7", &[], None),
        ] {
            assert_eq!(client(peer, forwarded).as_deref(), counted, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn bytes_beyond_ascii_do_not_hide_the_hops_to_their_right() {
        let counted = |value: &[u8]| client("203.0.113.7", &[value]);
        assert_eq!(counted(b"\xff, 192.0.2.9").as_deref(), Some("192.0.2.9"));
        assert_eq!(counted(b"192.0.2.9, \xff"), None);
    }

    #[test]
    fn without_a_peer_nothing_is_counted() {
        let (parts, ()) = Request::new(()).into_parts();
        assert_eq!(client_address(&parts, &[]), None);
    }
}
