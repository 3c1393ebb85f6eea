//! Frames of hostile clients, sent to the broker.

mod peer;

use std::time::Duration;

use pusher_broker::{Broker, EventName};

use crate::{broker, runtime};
use peer::Peer;

/// The number of clients.
const PEERS: usize = 3;

/// Plays the input, one step per line.
///
/// - `wait SECONDS` lets time pass.
/// - `publish CHANNEL EVENT DATA` is a publication of the app.
/// - `N subscribe CHANNEL [CHANNEL_DATA]` and `N signin USER_DATA` are sent by client `N` with a
///   valid signature.
/// - `N binary TEXT` and `N close` are sent by client `N`.
/// - `N FRAME` is any other frame of client `N`. The input cannot contain a valid signature.
pub fn run(input: &[u8]) {
    let script = String::from_utf8_lossy(input);
    runtime::new().block_on(play(&script));
}

async fn play(script: &str) {
    let broker = broker::new();
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        peers.push(Peer::connect(&broker).await);
    }
    for line in script.lines() {
        step(&broker, &mut peers, line).await;
        runtime::settle().await;
        peers.iter_mut().for_each(Peer::check);
    }
    drop(peers);
    runtime::settle().await;
    assert_eq!(broker.connections(), 0, "a connection outlived its client");
    // Lets waiting webhooks and delayed counts go out.
    tokio::time::sleep(Duration::from_secs(10)).await;
}

async fn step(broker: &Broker, peers: &mut [Peer], line: &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "wait" => runtime::wait(rest).await,
        "publish" => publish(broker, rest),
        number => {
            let peer = number.parse::<usize>().ok().and_then(|number| peers.get_mut(number));
            if let Some(peer) = peer {
                peer.step(rest).await;
            }
        }
    }
}

fn publish(broker: &Broker, rest: &str) {
    let mut words = rest.splitn(3, ' ');
    let channel = words.next().and_then(|channel| channel.parse().ok());
    let event = words.next().and_then(|event| EventName::new(event).ok());
    if let (Some(channel), Some(event)) = (channel, event) {
        let _ = broker.publish(&channel, &event, words.next().unwrap_or_default(), None);
    }
}
