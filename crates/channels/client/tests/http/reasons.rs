//! Tests that an error of the HTTP API says why there was no response.

use std::error::Error as _;
use std::sync::Arc;

use pusher_client::{Error, ErrorKind, HttpApi, HttpApiBuilder, Retry, Roots, Signer};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

fn builder() -> HttpApiBuilder {
    HttpApi::builder("1", Signer::new("key", "secret")).retry(Retry::never())
}

async fn error(builder: HttpApiBuilder) -> Error {
    builder.build().unwrap().channels(None, &[]).await.unwrap_err()
}

fn cause(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn a_name_that_does_not_resolve_and_a_refused_connection_are_told_apart() {
    let unresolved = error(builder().host("no-such-host.invalid")).await;
    assert_eq!(unresolved.kind(), ErrorKind::Dns);
    assert_eq!(cause(&unresolved), "the name no-such-host.invalid could not be resolved");
    let (_, port) = listener().await;
    let refused = error(builder().host("127.0.0.1").port(port).tls(false)).await;
    assert_eq!(refused.kind(), ErrorKind::Unreachable);
    assert_eq!(cause(&refused), format!("127.0.0.1:{port} could not be reached"));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_the_reason() {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let body = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"channels\":{}}";
            stream.write_all(body.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let at = || builder().host("127.0.0.1").port(port);
    for roots in [Roots::new(), Roots::platform()] {
        let untrusted = error(at().roots(roots)).await;
        assert_eq!(untrusted.kind(), ErrorKind::Certificate);
        let text = "the certificate of 127.0.0.1 is self-signed, or of an authority that is not trusted";
        assert_eq!(cause(&untrusted), text);
    }
    for roots in [Roots::none(), Roots::new(), Roots::platform()] {
        let roots = roots.with_pem_file("tests/tls/ca.pem").unwrap();
        assert!(at().roots(roots).build().unwrap().channels(None, &[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_the_reason() {
    let (listener, port) = listener().await;
    let proxied = builder().host("server.test").proxy(format!("http://127.0.0.1:{port}"));
    let (wanted, ()) = tokio::join!(error(proxied), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(head(&mut stream).await.starts_with("CONNECT server.test:443 "));
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
    });
    assert_eq!((wanted.kind(), wanted.code()), (ErrorKind::Proxy, Some(407)));
    assert!(cause(&wanted).contains("requires a name and password"), "{wanted:?}");
}

#[tokio::test]
async fn a_socks_proxy_is_used() {
    let (listener, port) = listener().await;
    let proxied = builder().host("server.test").tls(false).proxy(format!("socks5h://127.0.0.1:{port}"));
    let api = proxied.build().unwrap();
    let (channels, ()) = tokio::join!(api.channels(None, &[]), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 18];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(&request[5..16], b"server.test");
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        assert!(head(&mut stream).await.starts_with("GET /apps/1/channels?"));
        let body = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"channels\":{}}";
        stream.write_all(body.as_bytes()).await.unwrap();
    });
    assert!(channels.unwrap().is_empty());
}

/// Reads the head of a request.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
