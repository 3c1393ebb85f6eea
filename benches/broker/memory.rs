use crate::figures::Figures;
use crate::peers::{CONNECTIONS, Peer, memory};
use crate::subscriber::Subscriber;

/// Measures how much a server's memory grows with each idle subscriber of a channel.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let (connections, rounds) = if full { (CONNECTIONS, 3) } else { (20, 1) };
    let mut figures = Figures::new(peers);
    for _ in 0..rounds {
        for peer in peers {
            let server = peer.start();
            let _first = Subscriber::connect(server.address, "news").await;
            let before = memory(&server);
            let channels = std::iter::repeat_n("news".to_owned(), connections);
            let _idle = Subscriber::connect_many(server.address, channels).await;
            figures.add(*peer, (memory(&server) - before) / connections as f64);
        }
    }
    figures.print(&format!("memory of an idle connection, of {connections}"), "KiB");
}
