//! A broker, and in-memory WebSockets to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pusher_broker::{Broker, Limits, Signer};
use pusher_protocol::{Frame, Handshake, SocketId};
use tokio::io::DuplexStream;
use tokio_tungstenite::{WebSocketStream, client_async};

/// The time of the broker's clock, in Unix seconds.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn signer() -> Signer {
    Signer::new("app-key", "app-secret")
}

/// Creates a broker with every feature on, and small limits.
pub(crate) fn new() -> Broker {
    let mut limits = Limits::default();
    limits.subscriptions = 8;
    limits.presence_members = 2;
    limits.watchlist = 2;
    limits.cached_events = 2;
    let random = AtomicU64::new(1);
    Broker::builder("3", signer())
        .limits(limits)
        .client_events(true)
        .subscription_counts(true)
        .webhook(|_| async { Ok(()) })
        .clock(|| Duration::from_secs(NOW))
        .random(move || random.fetch_add(1, Ordering::Relaxed))
        .build()
}

/// Returns an established connection, and its socket id.
pub(crate) async fn connect(broker: &Broker) -> (WebSocketStream<DuplexStream>, SocketId) {
    let (ours, theirs) = tokio::io::duplex(4 * 1024);
    let service = TowerToHyperService::new(broker.router());
    tokio::spawn(async move {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(TokioIo::new(theirs), service).with_upgrades().await;
    });
    let (mut socket, _) = client_async("ws://broker/app/app-key?protocol=7", ours).await.unwrap();
    let greeting = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let handshake = Handshake::parse(Frame::parse(&greeting).unwrap().data()).unwrap();
    (socket, handshake.socket_id)
}
