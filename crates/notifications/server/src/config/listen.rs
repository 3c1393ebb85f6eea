use std::net::{Ipv4Addr, SocketAddr};

use super::ConfigError;
use super::variables::Variables;

pub(crate) const NAME: &str = "INTERNAL_NOTIFICATIONS_LISTEN";

pub(crate) fn from_env(variables: &Variables<'_>) -> Result<SocketAddr, ConfigError> {
    let address = variables.parsed(NAME, "an IP address and a port, like 127.0.0.1:8080 or [::1]:8080")?;
    Ok(address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))))
}

/// Whether nothing but this machine reaches the address; also written as IPv4 inside IPv6.
pub(crate) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
