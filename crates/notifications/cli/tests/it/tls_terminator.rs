use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The authority that signed the certificate.
pub(crate) const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../channels/client/tests/tls/ca.pem");

/// Terminates TLS on a free port of 127.0.0.1 for a server, with a certificate of a private
/// authority. Returns its port.
pub(crate) fn terminate_tls(server: &str) -> u16 {
    let acceptor = acceptor();
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let (port, bound) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            port.send(listener.local_addr().unwrap().port()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, server) = (acceptor.clone(), server.clone());
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(stream).await else { return };
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
    });
    bound.recv().unwrap()
}

fn acceptor() -> TlsAcceptor {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../channels/client/tests/tls/");
    let certificate = CertificateDer::from_pem_file(format!("{folder}server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{folder}server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}
