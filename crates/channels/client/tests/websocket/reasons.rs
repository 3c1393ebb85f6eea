//! Tests that an app learns why there is no connection.

use std::error::Error as _;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use pusher_client::{Client, ConnectionState, Error, ErrorKind, Roots};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::scripted_server::{Net, state};
use crate::tls::acceptor;

/// Returns why the client is not connected, once an attempt has failed.
async fn reason(client: &Client) -> Error {
    let failed = state(client, |state| matches!(state, ConnectionState::Reconnecting { .. })).await;
    failed.reason().unwrap().clone()
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_the_reason() {
    let client = Client::builder("app-key").host("no-such-host.invalid").connect().unwrap();
    let reason = reason(&client).await;
    assert_eq!(reason.kind(), ErrorKind::Dns);
    assert_eq!(reason.to_string(), "the name no-such-host.invalid could not be resolved");
    assert!(reason.source().is_some() && reason.is_retryable());
}

#[tokio::test]
async fn a_refused_connection_is_the_reason() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let builder = Client::builder("app-key").host("127.0.0.1").port(closed.port()).tls(false);
    let reason = reason(&builder.connect().unwrap()).await;
    assert_eq!(reason.kind(), ErrorKind::Unreachable);
    assert_eq!(reason.to_string(), format!("{closed} could not be reached"));
    assert!(reason.source().unwrap().to_string().contains("refused"), "{:?}", reason.source());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_is_not_trusted_is_the_reason() {
    let trusted = Roots::none().with_pem(include_bytes!("../tls/ca.pem")).unwrap();
    for (roots, host, problem, cause) in [
        (
            Roots::new(),
            "server.test",
            "is self-signed, or of an authority that is not trusted",
            "UnknownIssuer",
        ),
        (trusted, "other.test", "is for another name", "other.test"),
    ] {
        let net = Net::new();
        let client = net.client().host(host).tls(true).roots(roots).connect().unwrap();
        assert!(acceptor().accept(net.accept_raw().await).await.is_err(), "{host}");
        let reason = reason(&client).await;
        assert_eq!(reason.kind(), ErrorKind::Certificate);
        assert_eq!(reason.to_string(), format!("the certificate of {host} {problem}"));
        assert!(reason.source().unwrap().to_string().contains(cause), "{:?}", reason.source());
    }
}

/// Answers the client's next attempt with an HTTP status.
async fn answer(net: &Net, status: u16) {
    let mut stream = net.accept_raw().await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let text = format!("HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let _ = stream.read_to_end(&mut head).await;
}

#[tokio::test(start_paused = true)]
async fn the_status_of_the_upgrade_is_the_reason() {
    for status in [401, 404, 302, 502] {
        let net = Net::new();
        let client = net.client().connect().unwrap();
        answer(&net, status).await;
        let reason = reason(&client).await;
        assert_eq!((reason.kind(), reason.code()), (ErrorKind::Upgrade, Some(status)));
        assert!(reason.to_string().contains(&status.to_string()), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_has_each_change_of_the_reason_once() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut errors = client.errors();
    for status in [404, 404, 503, 503, 503, 404] {
        answer(&net, status).await;
    }
    let _peer = net.establish(1).await;
    client.connected().await.unwrap();
    let mut codes = Vec::new();
    while let Some(Some(error)) = errors.next().now_or_never() {
        codes.push(error.code().unwrap());
    }
    assert_eq!(codes, [404, 503, 404]);
}

#[tokio::test]
async fn a_connector_may_return_the_reason() {
    struct Broken(fn() -> std::io::Error);
    #[async_trait::async_trait]
    impl pusher_client::Connector for Broken {
        async fn connect(&self, _: &str, _: u16) -> std::io::Result<pusher_client::BoxTransport> {
            Err((self.0)())
        }
    }
    let own = || std::io::Error::other(Client::builder("no/key").build().unwrap_err());
    let other = || std::io::ErrorKind::ConnectionRefused.into();
    for (error, kind) in [(own as fn() -> _, ErrorKind::Configuration), (other, ErrorKind::Unreachable)] {
        let builder = Client::builder("app-key").host("server.test").connector(Broken(error));
        let client = builder.unavailable_after(Duration::from_secs(60)).connect().unwrap();
        assert_eq!(reason(&client).await.kind(), kind);
    }
}
