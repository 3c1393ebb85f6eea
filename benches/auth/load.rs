use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

pub(crate) const CONNECTIONS: usize = 64;

/// Returns the rate of requests per second over persistent connections, one request at a time on
/// each.
pub(crate) async fn rate(address: SocketAddr, token: &str, time: Duration) -> f64 {
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
        let (mut response, mut count) = (vec![0; 4096], 0);
        while start.elapsed() < time {
            stream.write_all(request.as_bytes()).await.unwrap();
            read(&mut stream, &mut response).await;
            count += 1;
        }
        count
    };
    let counts: Vec<u32> = join_all(streams.into_iter().map(|stream| send_requests(stream.unwrap()))).await;
    f64::from(counts.iter().sum::<u32>()) / start.elapsed().as_secs_f64()
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
