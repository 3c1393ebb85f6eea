use std::sync::Arc;

use pusher_client::Roots;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::scripted_server::{Net, socket_id};

pub(crate) fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test(start_paused = true)]
async fn an_added_authority_is_trusted() {
    use futures_util::SinkExt;
    let net = Net::new();
    let roots = Roots::none().with_pem(include_bytes!("../tls/ca.pem")).unwrap();
    let client = net.client().tls(true).roots(roots).connect().unwrap();
    let stream = acceptor().accept(net.accept_raw().await).await.unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    let greeting = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\",\"activity_timeout\":120}"}"#;
    socket.send(Message::text(greeting)).await.unwrap();
    assert_eq!(client.connected().await.unwrap(), socket_id(1));
}
