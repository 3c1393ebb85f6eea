use std::net::SocketAddr;

use futures_util::future::join_all;

use crate::figures::Figures;
use crate::peers::{CONNECTIONS, Peer};
use crate::publisher::{Publisher, batch, event};
use crate::subscriber::{CountedSubscribers, Subscriber};

/// Connections that publish concurrently.
const PUBLISHERS: usize = 16;

/// Measures many private channels with one subscriber each. Each channel gets an event, with one
/// and with ten events per request.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let (channels, rounds) = if full { (CONNECTIONS, 3) } else { (20, 1) };
    let names: Vec<String> = (0..channels).map(|number| format!("private-user-{number}")).collect();
    let (mut single, mut batched) = (Figures::new(peers), Figures::new(peers));
    for _ in 0..rounds {
        for peer in peers {
            let server = peer.start();
            let subscribed =
                CountedSubscribers::new(Subscriber::connect_many(server.address, names.clone()).await);
            let requests: Vec<_> = names.iter().map(|name| event(name)).collect();
            single.add(*peer, subscribed.rate(channels, publish(server.address, &requests)).await);
            let requests: Vec<_> = names.chunks(10).map(batch).collect();
            batched.add(*peer, subscribed.rate(channels, publish(server.address, &requests)).await);
        }
    }
    single.print(&format!("{channels} private channels, one event a request"), "deliveries/s");
    batched.print("batches of 10", "deliveries/s");
}

async fn publish(server: SocketAddr, requests: &[Vec<u8>]) {
    let share = requests.len().div_ceil(PUBLISHERS);
    join_all(requests.chunks(share).map(async |requests| {
        let mut publisher = Publisher::connect(server).await;
        for request in requests {
            publisher.send(request).await;
        }
    }))
    .await;
}
