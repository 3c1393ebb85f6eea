use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::error::Error;

/// The addresses of proxies whose `X-Forwarded-For` is believed: an address like `10.0.0.7`, or a
/// network like `10.0.0.0/8` or `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

impl TrustedProxy {
    /// Returns whether this is the address of such a proxy. IPv4 has to be written as IPv4.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for TrustedProxy {
    type Err = Error;

    /// Parses an address or a network.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidProxy`](crate::ErrorKind::InvalidProxy) for other text, for a
    /// network of all addresses, and for IPv4 written as IPv6.
    fn from_str(text: &str) -> Result<Self, Error> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network: IpNet = network.map_err(|_| Error::invalid_proxy(text))?;
        // Everybody could claim any address.
        let is_everything = network.prefix_len() == 0;
        if is_everything || network.addr().to_canonical() != network.addr() {
            return Err(Error::invalid_proxy(text));
        }
        Ok(Self(network))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_and_an_address_itself() {
        for (proxy, inside, outside) in [
            ("10.0.0.0/8", "10.1.2.3", "11.0.0.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
        ] {
            let proxy: TrustedProxy = proxy.parse().unwrap();
            assert!(proxy.contains(inside.parse().unwrap()), "{proxy}");
            assert!(!proxy.contains(outside.parse().unwrap()), "{proxy}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for text in
            ["", "*", "proxy.example", "10.0.0.0/33", "10.0.0.0/", "0.0.0.0/0", "::/0", "::ffff:10.0.0.0/104"]
        {
            let error = text.parse::<TrustedProxy>().expect_err(text);
            assert_eq!(error.kind(), crate::ErrorKind::InvalidProxy);
        }
    }
}
