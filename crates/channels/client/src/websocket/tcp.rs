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
/// `limit` is shared by the addresses of a family, so that one that does not answer leaves time
/// for the next.
pub(crate) async fn open(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Error> {
    let addresses = resolve(host, port).await?;
    open_any(addresses, port, limit)
        .await
        .map_err(|error| connect_error::unreachable(&authority(host, port), error))
}

async fn open_any(addresses: Vec<SocketAddr>, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let target = Uri::builder().scheme("http").authority(format!("resolved:{port}")).path_and_query("/");
    let target = target.build().map_err(io::Error::other)?;
    let mut connector = HttpConnector::new_with_resolver(Resolved(addresses));
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(limit));
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
}
