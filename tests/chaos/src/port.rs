use crate::failure::Failure;
use rand::RngExt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below what systems give to connections that go out: one of those must not take the port of a server that is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A free port of this machine that stays the same over a server's restarts.
pub(crate) fn free() -> Result<SocketAddr, Failure> {
    for _ in 0..1000 {
        let address = (Ipv4Addr::LOCALHOST, rand::rng().random_range(PORTS)).into();
        if TcpListener::bind::<SocketAddr>(address).is_ok() {
            return Ok(address);
        }
    }
    Err("there is no free port".into())
}
