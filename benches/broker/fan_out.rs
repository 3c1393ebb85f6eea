use crate::figures::Figures;
use crate::peers::Peer;
use crate::publisher::{Publisher, event};
use crate::subscriber::{Counted, Subscriber};

/// One channel with many subscribers, events one after another.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let (subscribers, events, rounds) = if full { (1_000, 100, 5) } else { (10, 5, 1) };
    let mut figures = Figures::new(peers);
    for _ in 0..rounds {
        for peer in peers {
            let server = peer.start();
            let channels = std::iter::repeat_n("news".to_owned(), subscribers);
            let counted = Counted::new(Subscriber::many(server.address, channels).await);
            let mut publisher = Publisher::to(server.address).await;
            let request = event("news");
            let publishing = async {
                for _ in 0..events {
                    publisher.send(&request).await;
                }
            };
            figures.add(*peer, counted.rate(subscribers * events, publishing).await);
        }
    }
    figures.print(&format!("{subscribers} subscribers of one channel, {events} events"), "deliveries/s");
}
