use crate::figures::Figures;
use crate::peers::Peer;
use crate::publisher::{Publisher, event};
use crate::subscriber::{CountedSubscribers, Subscriber};

/// Measures one channel with many subscribers and one event after another.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let (subscribers, events, rounds) = if full { (1_000, 100, 5) } else { (10, 5, 1) };
    let mut figures = Figures::new(peers);
    for _ in 0..rounds {
        for peer in peers {
            let server = peer.start();
            let channels = std::iter::repeat_n("news".to_owned(), subscribers);
            let subscribed =
                CountedSubscribers::new(Subscriber::connect_many(server.address, channels).await);
            let mut publisher = Publisher::connect(server.address).await;
            let request = event("news");
            let publishing = async {
                for _ in 0..events {
                    publisher.send(&request).await;
                }
            };
            figures.add(*peer, subscribed.rate(subscribers * events, publishing).await);
        }
    }
    figures.print(&format!("{subscribers} subscribers of one channel, {events} events"), "deliveries/s");
}
