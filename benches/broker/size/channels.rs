use futures_util::{StreamExt, stream};

use super::neighbour::beside;
use crate::goal::{Goal, print};
use crate::peers::{Peer, memory};
use crate::publisher::{Publisher, list_of_channels};
use crate::subscriber::Subscriber;

/// As many as one connection may have.
const EACH: usize = 100;

/// Lists very many channels while a neighbour gets events.
pub(crate) async fn run(full: bool) {
    let (connections, requests) = if full { (2_000, 20) } else { (5, 2) };
    let channels = connections * EACH;
    let server = Peer::Broker.start();
    // What the connections take is not their channels'.
    let opening = (0..connections).map(async |_| Subscriber::open(server.address).await);
    let opened: Vec<Subscriber> = stream::iter(opening).buffered(50).collect().await;
    let before = memory(&server);
    let subscribing = opened.into_iter().enumerate().map(async |(number, mut subscriber)| {
        let names: Vec<String> =
            (0..EACH).map(|channel| format!("news-of-somebody-{number}-{channel}")).collect();
        subscriber.subscribe_to_all(&names).await;
        subscriber
    });
    let _subscribed: Vec<Subscriber> = stream::iter(subscribing).buffered(50).collect().await;
    let each = (memory(&server) - before) * 1024.0 / channels as f64;
    let ((), alone) = beside(server.address, async {
        tokio::time::sleep(std::time::Duration::from_millis(if full { 3_000 } else { 10 })).await;
    })
    .await;
    let mut api = Publisher::connect(server.address).await;
    let listing = async {
        for _ in 0..requests {
            api.send(&list_of_channels()).await;
        }
    };
    let ((), beside) = beside(server.address, listing).await;
    println!("{channels} public channels, listed {requests} times");
    Goal::AtMost(512.0).print("memory of a name", each, "B");
    print("a neighbour's events without it: p99", alone.percentile(99), "ms");
    print("beside it: p50", beside.percentile(50), "ms");
    Goal::AtMost(20.0).print("p99", beside.percentile(99), "ms");
}
