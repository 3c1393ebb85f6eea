use crate::figures::Figures;
use crate::peers::{CONNECTIONS, Peer, memory};
use crate::subscriber::Subscriber;

/// What the server's process grows by with each connection that is subscribed to a channel and does nothing.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let (connections, rounds) = if full { (CONNECTIONS, 3) } else { (20, 1) };
    let mut figures = Figures::new(peers);
    for _ in 0..rounds {
        for peer in peers {
            let server = peer.start();
            let _first = Subscriber::of(server.address, "news").await;
            let before = memory(&server);
            let channels = std::iter::repeat_n("news".to_owned(), connections);
            let _idle = Subscriber::many(server.address, channels).await;
            figures.add(*peer, (memory(&server) - before) / connections as f64);
        }
    }
    figures.print(&format!("memory of an idle connection, of {connections}"), "KiB");
}
