use std::net::{Ipv4Addr, SocketAddr};

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const LISTEN: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_LISTEN",
    method: "with_listen",
    default: Some("127.0.0.1:8080"),
    allowed: "an IP address and a port, like `127.0.0.1:8080` or `[::1]:8080`; port 0 takes a free one",
    purpose: "Where the server listens. Beyond loopback, a JWT key or API keys are required.",
};

pub(super) const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

pub(crate) fn from_env(variables: &Variables<'_>) -> Result<SocketAddr, ConfigError> {
    Ok(variables.parsed(&LISTEN)?.unwrap_or(DEFAULT))
}

/// Returns whether only this machine can reach the address, also in its IPv4-mapped IPv6 form.
pub(crate) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
