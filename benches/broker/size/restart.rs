use std::time::Instant;

use futures_util::future::join_all;

use crate::goal::{Goal, print};
use crate::peers::Peer;
use crate::process::free_address;
use crate::subscriber::Subscriber;

/// Connects many clients at once to a server that has just restarted.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let clients = if full { 2_000 } else { 20 };
    println!("{clients} clients come back after a restart");
    for peer in peers {
        let address = free_address();
        drop(peer.start_at(address, &[]));
        let server = peer.start_at(address, &[]);
        let started = Instant::now();
        let connected =
            join_all((0..clients).map(async |_| Subscriber::connect(server.address, "news").await)).await;
        let seconds = started.elapsed().as_secs_f64();
        drop(connected);
        match peer {
            Peer::Broker => Goal::AtMost(2.0).print("until all are subscribed, broker", seconds, "s"),
            _ => print(peer.name(), seconds, "s"),
        }
    }
}
