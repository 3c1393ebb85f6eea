use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// The connections that the kernel may hold until they are accepted. With the usual 128, clients
/// that reconnect together after a restart wait for the retransmission of their SYN.
const BACKLOG: u32 = 4_096;

/// Listens on an address, with a queue for 4,096 connections that are not accepted yet, so that
/// many clients can reconnect at once. The kernel may allow less (on Linux, `net.core.somaxconn`).
///
/// # Errors
/// Returns the system's error if the address cannot be listened on.
///
/// # Panics
/// Panics outside a tokio runtime, as everything in [`tokio::net`] does.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does: on Windows the option would let another process take the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    /// More than Rust's listeners hold by default.
    const CLIENTS: usize = 200;

    #[tokio::test]
    async fn clients_that_come_together_need_not_wait_until_they_are_accepted() {
        let allowed: usize =
            fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
        if allowed < CLIENTS {
            return;
        }
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients = Vec::new();
        for n in 0..CLIENTS {
            let connecting = timeout(Duration::from_secs(10), TcpStream::connect(address)).await;
            clients.push(connecting.unwrap_or_else(|_| panic!("client {n} is not let in")).unwrap());
        }
    }

    #[tokio::test]
    async fn an_ipv6_address_can_be_listened_on() {
        // A machine without IPv6 cannot.
        if let Ok(listener) = listen(SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0))) {
            assert!(listener.local_addr().unwrap().is_ipv6());
        }
    }
}
