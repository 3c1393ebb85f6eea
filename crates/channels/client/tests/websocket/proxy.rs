//! Tests connections through a proxy, over real sockets. The test plays the proxy.

use std::process::Command;
use std::time::Duration;

use pusher_client::protocol::{ProtocolEvent, SocketId};
use pusher_client::{Client, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::scripted_server::state;

/// The variable that marks a child process, which runs this test binary again.
const CHILD: &str = "PUSHER_CLIENT_TEST_CHILD";

async fn proxy() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Accepts the next connection, and returns it with the head of its request.
async fn next_request(listener: &TcpListener) -> (TcpStream, String) {
    let accepting = tokio::time::timeout(Duration::from_secs(30), listener.accept());
    let (mut stream, _) = accepting.await.expect("no client connected to the proxy").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

/// Opens the tunnel and plays the server at its other end.
async fn establish(mut stream: TcpStream) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n").await.unwrap();
    greet(stream).await
}

/// Plays the server.
async fn greet(stream: TcpStream) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    use futures_util::SinkExt;
    let mut socket = accept_async(stream).await.unwrap();
    let frame = ProtocolEvent::ConnectionEstablished {
        socket_id: &SocketId::from_parts(1, 1),
        activity_timeout: 120,
    };
    socket.send(Message::text(frame.encode())).await.unwrap();
    socket
}

#[tokio::test]
async fn a_tunnel_is_requested_with_the_name_and_password_of_the_proxy() {
    let (listener, address) = proxy().await;
    let builder = Client::builder("app-key").host("server.test").port(8080).tls(false);
    let client = builder.proxy(format!("http://ada:secret@{address}")).connect().unwrap();
    let (stream, head) = next_request(&listener).await;
    assert!(head.starts_with("CONNECT server.test:8080 HTTP/1.1\r\nHost: server.test:8080\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic YWRhOnNlY3JldA==\r\n"), "{head}");
    let _socket = establish(stream).await;
    assert_eq!(client.connected().await.unwrap().as_str(), "1.1");
}

#[tokio::test]
async fn a_refusing_proxy_is_the_reason_and_tried_again() {
    let (listener, address) = proxy().await;
    let builder = Client::builder("app-key").host("server.test").tls(false);
    let client = builder.proxy(format!("http://{address}")).connect().unwrap();
    let (mut stream, _) = next_request(&listener).await;
    stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
    let mut sent = Vec::new();
    let closing = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut sent));
    closing.await.expect("the refused tunnel is used").unwrap();
    assert!(sent.is_empty(), "{}", String::from_utf8_lossy(&sent));
    let failed = state(&client, |state| state.reason().is_some()).await;
    let reason = failed.reason().unwrap();
    assert_eq!((reason.kind(), reason.code()), (ErrorKind::Proxy, Some(407)));
    assert!(reason.to_string().contains("name and password"), "{reason}");
    let (stream, _) = next_request(&listener).await;
    let _socket = establish(stream).await;
    client.connected().await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_the_reason() {
    use std::error::Error;
    let (listener, address) = proxy().await;
    drop(listener);
    let builder = Client::builder("app-key").host("server.test").tls(false);
    let client = builder.proxy(format!("http://{address}")).connect().unwrap();
    let failed = state(&client, |state| state.reason().is_some()).await;
    let reason = failed.reason().unwrap();
    assert_eq!(reason.kind(), ErrorKind::Proxy);
    assert_eq!(reason.source().unwrap().to_string(), format!("{address} could not be reached"));
}

/// Reads this many bytes.
async fn read(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut buffer = vec![0; bytes];
    stream.read_exact(&mut buffer).await.unwrap();
    buffer
}

#[tokio::test]
async fn a_socks_proxy_resolves_the_name_and_is_given_name_and_password() {
    let (listener, address) = proxy().await;
    let builder = Client::builder("app-key").host("server.test").port(8080).tls(false);
    let client = builder.proxy(format!("socks5h://ada:secret@{address}")).connect().unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    // RFC 1928 and RFC 1929.
    assert_eq!(read(&mut stream, 3).await, [5, 1, 2]);
    stream.write_all(&[5, 2]).await.unwrap();
    assert_eq!(read(&mut stream, 12).await, b"\x01\x03ada\x06secret");
    stream.write_all(&[1, 0]).await.unwrap();
    assert_eq!(read(&mut stream, 18).await, b"\x05\x01\x00\x03\x0bserver.test\x1f\x90");
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let _socket = greet(stream).await;
    client.connected().await.unwrap();
}

#[tokio::test]
async fn a_socks_proxy_that_wants_a_password_is_the_reason() {
    let (listener, address) = proxy().await;
    let builder = Client::builder("app-key").host("10.0.0.1").tls(false);
    let client = builder.proxy(format!("socks5://{address}")).connect().unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(read(&mut stream, 3).await, [5, 1, 0]);
    stream.write_all(&[5, 255]).await.unwrap();
    let failed = state(&client, |state| state.reason().is_some()).await;
    let reason = failed.reason().unwrap();
    assert_eq!(reason.kind(), ErrorKind::Proxy);
    assert!(reason.to_string().contains("may require a name and password"), "{reason}");
}

#[tokio::test]
async fn the_environment_selects_the_proxy_by_scheme() {
    let (listener, address) = proxy().await;
    for (variable, tls, target) in
        [("http_proxy", "", "server.test:80"), ("HTTPS_PROXY", "1", "server.test:443")]
    {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proxy::a_child_process_connects_through_its_environment", "--ignored"])
            .env_clear()
            .env(variable, format!("http://{address}"))
            .env(CHILD, tls)
            .spawn()
            .unwrap();
        let (_, head) = next_request(&listener).await;
        assert!(head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")), "{head}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn an_unsupported_proxy_in_the_environment_is_reported_at_once() {
    for variable in ["ALL_PROXY", "https_proxy"] {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proxy::a_child_process_rejects_its_environment", "--ignored"])
            .env_clear()
            .env(variable, "socks4://127.0.0.1:9")
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{variable}: {}", String::from_utf8_lossy(&child.stdout));
    }
}

#[tokio::test]
#[ignore = "run by an_unsupported_proxy_in_the_environment_is_reported_at_once"]
async fn a_child_process_rejects_its_environment() {
    if std::env::var(CHILD).is_err() {
        return;
    }
    let error = Client::builder("app-key").host("server.test").connect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("socks4:// is not supported"), "{error}");
    assert!(
        Client::builder("app-key").host("127.0.0.1").build().is_ok(),
        "a server on this machine needs no proxy"
    );
}

#[tokio::test]
#[ignore = "run by the_environment_selects_the_proxy_by_scheme"]
async fn a_child_process_connects_through_its_environment() {
    let Ok(tls) = std::env::var(CHILD) else { return };
    let client = Client::builder("app-key").host("server.test").tls(!tls.is_empty()).connect().unwrap();
    client.connected().await.unwrap();
}
