use std::time::Duration;

use crate::figures::Figures;
use crate::peers::Peer;
use crate::publisher::{Publisher, event};
use crate::subscriber::Subscriber;

/// Measures the time from a request until its subscriber has the event, one event after another.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let (events, rounds) = if full { (5_000, 3) } else { (10, 1) };
    let (mut p50, mut p99) = (Figures::new(peers), Figures::new(peers));
    for _ in 0..rounds {
        for peer in peers {
            let server = peer.start();
            let mut subscriber = Subscriber::connect(server.address, "private-a").await;
            let mut publisher = Publisher::connect(server.address).await;
            let request = event("private-a");
            let mut times = Vec::with_capacity(events);
            for _ in 0..events {
                times.push(subscriber.round_trip(&mut publisher, &request).await);
            }
            times.sort_unstable();
            let percentile = |percent| micros(times[events * percent / 100]);
            p50.add(*peer, percentile(50));
            p99.add(*peer, percentile(99));
        }
    }
    p50.print(&format!("from trigger to receive, {events} events one after another: p50"), "µs");
    p99.print("p99", "µs");
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
