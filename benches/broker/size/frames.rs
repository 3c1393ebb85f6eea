use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use super::presence::member;
use crate::goal::{Goal, print};
use crate::peers::{Peer, memory};
use crate::subscriber::Subscriber;

const ROOM: usize = 100;

/// Fills presence channels with members whose list is a large frame, and lets all of them leave.
pub(crate) async fn run(peers: &[Peer], full: bool) {
    let rooms = if full { 40 } else { 1 };
    let connections = rooms * ROOM;
    println!("{connections} connections in presence channels of {ROOM}, 900 bytes a member");
    // The bare loop has no presence channels.
    for peer in peers.iter().filter(|peer| **peer != Peer::Bare) {
        let server = peer.start();
        let _first = Subscriber::connect(server.address, "news").await;
        let before = memory(&server);
        let mut draining = Vec::new();
        for number in 0..ROOM {
            let joined = join_all((0..rooms).map(async |room| {
                let mut subscriber = Subscriber::open(server.address).await;
                subscriber.join(&format!("presence-{room}"), &member(number)).await;
                subscriber
            }));
            draining.extend(joined.await.into_iter().map(|subscriber| tokio::spawn(subscriber.drain())));
        }
        let held = settled(async || memory(&server) - before, full).await / connections as f64;
        draining.iter().for_each(|task| task.abort());
        join_all(draining).await;
        let left = settled(async || memory(&server) - before, full).await / 1024.0;
        if *peer == Peer::Broker {
            Goal::AtMost(16.0).print("a connection, broker", held, "KiB");
            Goal::AtMost(32.0).print("after all have left, more than before", left, "MiB");
        } else {
            print(&format!("a connection, {}", peer.name()), held, "KiB");
            print("after all have left, more than before", left, "MiB");
        }
    }
}

/// Returns the smallest of the figures within some seconds, in which an allocator gives back what
/// is free.
async fn settled(figure: impl AsyncFn() -> f64, full: bool) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..if full { 20 } else { 1 } {
        sleep(Duration::from_millis(250)).await;
        least = least.min(figure().await);
    }
    least
}
