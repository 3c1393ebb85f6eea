use crate::failure::Failure;
use rand::RngExt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the range that systems use for outgoing connections, so that none of those takes the port
/// of a server that is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Returns a free port that a server can use again after a restart.
pub(crate) fn free() -> Result<SocketAddr, Failure> {
    for _ in 0..1000 {
        let address = (Ipv4Addr::LOCALHOST, rand::rng().random_range(PORTS)).into();
        if TcpListener::bind::<SocketAddr>(address).is_ok() {
            return Ok(address);
        }
    }
    Err("no free port was found".into())
}
