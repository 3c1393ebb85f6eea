use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::endpoint::authority;
use crate::resolver::resolve;
use crate::{Error, connect_error};

/// Connects to a host over TCP, to IPv6 and IPv4 as RFC 8305 ("Happy Eyeballs") describes: a
/// family that does not answer delays the other by 300 ms.
///
/// `limit` is shared by the addresses of a family, as [`time_per_address`] describes, so that one
/// that does not answer leaves time for the next.
pub(crate) async fn open(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Error> {
    let addresses = resolve(host, port).await?;
    open_any(addresses, port, limit)
        .await
        .map_err(|error| connect_error::unreachable(&authority(host, port), error))
}

/// The shortest time for a connection over a slow link, such as a satellite's.
const SHORTEST: Duration = Duration::from_secs(2);

/// Divides `limit` among addresses that are tried in turn. Each has at least 2 s, or all of a
/// shorter `limit`, even if their sum is then longer.
pub(super) fn time_per_address(limit: Duration, addresses: usize) -> Duration {
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    (limit / addresses).max(limit.min(SHORTEST))
}

async fn open_any(addresses: Vec<SocketAddr>, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let target = Uri::builder().scheme("http").authority(format!("resolved:{port}")).path_and_query("/");
    let target = target.build().map_err(io::Error::other)?;
    // hyper-util divides its timeout by the number of addresses of a family.
    let ipv6 = addresses.iter().filter(|address| address.is_ipv6()).count();
    let family = ipv6.max(addresses.len() - ipv6);
    let timeout = time_per_address(limit, family).saturating_mul(u32::try_from(family).unwrap_or(u32::MAX));
    let mut connector = HttpConnector::new_with_resolver(Resolved(addresses));
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(timeout));
    let connecting = connector.call(target).await;
    let stream = connecting.map_err(|error| match connect_error::find::<io::Error>(&error) {
        Some(cause) => connect_error::copy(cause),
        None => io::Error::other(error),
    })?;
    Ok(stream.into_inner())
}

/// A resolver that has already resolved.
#[derive(Clone, Debug)]
struct Resolved(Vec<SocketAddr>);

impl Service<Name> for Resolved {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::{Instant, timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// Listens at an address whose queue of connections is full, so that it drops further requests
    /// for one. Returns what must be kept.
    async fn silent(address: SocketAddr) -> Option<(TcpListener, Vec<TcpStream>)> {
        let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.ok()?;
        socket.bind(address).ok()?;
        let listener = socket.listen(0).ok()?;
        let mut queued = Vec::new();
        let full = Duration::from_millis(300);
        while let Ok(stream) = timeout(full, TcpStream::connect(listener.local_addr().ok()?)).await {
            queued.push(stream.ok()?);
            if queued.len() > 64 {
                return None;
            }
        }
        Some((listener, queued))
    }

    #[tokio::test]
    async fn an_ipv6_address_that_does_not_answer_delays_ipv4_by_a_fraction_of_a_second() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let v4 = server.local_addr().unwrap();
        let v6 = SocketAddr::new("::1".parse().unwrap(), v4.port());
        let Some(_silent) = silent(v6).await else {
            return println!("skipped: this machine has no ::1, or does not drop connections");
        };
        let start = Instant::now();
        let connecting = timeout(2 * LIMIT, open_any(vec![v6, v4], v4.port(), LIMIT));
        let stream = connecting.await.expect("it connects").unwrap();
        assert_eq!(stream.peer_addr().unwrap(), v4);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_leaves_time_for_the_next() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = server.local_addr().unwrap();
        let dead = SocketAddr::new("127.0.0.2".parse().unwrap(), live.port());
        let Some(_silent) = silent(dead).await else {
            return println!("skipped: this machine has no 127.0.0.2, or does not drop connections");
        };
        let connecting = open_any(vec![dead, live], live.port(), Duration::from_secs(2));
        let stream = timeout(2 * LIMIT, connecting).await.expect("it connects").unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
    }

    #[tokio::test]
    async fn many_addresses_have_two_seconds_each() {
        let free = TcpListener::bind("127.0.0.3:0").await.map(|listener| listener.local_addr().unwrap());
        let Ok(dead) = free else { return println!("skipped: this machine has no 127.0.0.3") };
        let Some(_silent) = silent(dead).await else {
            return println!("skipped: this machine does not drop connections");
        };
        tokio::time::pause();
        let start = Instant::now();
        open_any(vec![dead; 8], dead.port(), LIMIT).await.unwrap_err();
        assert!(start.elapsed() >= Duration::from_secs(16), "{:?}", start.elapsed());
    }

    #[test]
    fn an_address_has_its_share_and_at_least_two_seconds_or_a_shorter_limit() {
        for (limit, addresses, share) in [(5.0, 1, 5.0), (5.0, 2, 2.5), (5.0, 8, 2.0), (0.5, 8, 0.5)] {
            let limit = Duration::from_secs_f64(limit);
            assert_eq!(time_per_address(limit, addresses), Duration::from_secs_f64(share));
        }
    }
}
