use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

pub(crate) const CONNECTIONS: usize = 64;

/// What was measured over persistent connections, with one request at a time on each.
pub(crate) struct Load {
    /// Requests per second.
    pub(crate) rate: f64,
    /// The time that 99 % of the requests took at most, in milliseconds.
    pub(crate) p99: f64,
}

pub(crate) async fn measure(address: SocketAddr, token: &str, time: Duration) -> Load {
    let body = "socket_id=1234.5678&channel_name=private-ada";
    let request = format!(
        "POST /pusher/auth HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let streams = join_all((0..CONNECTIONS).map(|_| TcpStream::connect(address))).await;
    let start = Instant::now();
    let send_requests = async |mut stream: TcpStream| {
        stream.set_nodelay(true).unwrap();
        let (mut response, mut latencies) = (vec![0; 4096], Vec::new());
        while start.elapsed() < time {
            let sent = Instant::now();
            stream.write_all(request.as_bytes()).await.unwrap();
            read(&mut stream, &mut response).await;
            latencies.push(sent.elapsed());
        }
        latencies
    };
    let latencies = join_all(streams.into_iter().map(|stream| send_requests(stream.unwrap()))).await;
    let elapsed = start.elapsed();
    let mut latencies = latencies.concat();
    latencies.sort();
    let p99 = latencies[latencies.len() * 99 / 100];
    Load { rate: latencies.len() as f64 / elapsed.as_secs_f64(), p99: p99.as_secs_f64() * 1e3 }
}

/// Reads one response, and asserts that it carries a signature.
async fn read(stream: &mut TcpStream, response: &mut [u8]) {
    let mut length = 0;
    loop {
        let read = stream.read(&mut response[length..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        length += read;
        // The JSON body ends the response.
        if response[..length].ends_with(b"\"}") {
            break;
        }
    }
    let response = &response[..length];
    let is_signed = response.windows(16).any(|bytes| bytes == br#"{"auth":"app-key"#);
    assert!(response.starts_with(b"HTTP/1.1 200 ") && is_signed, "{}", String::from_utf8_lossy(response));
}
