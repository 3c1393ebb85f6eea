use super::settings::EVENT_DATA;
use crate::goal::Goal;
use crate::peers::{Peer, memory};
use crate::process::free_address;
use crate::publisher::{Publisher, event_with};

const BYTES: usize = 64 * 1024;

/// Publishes a large event to each of many cache channels.
pub(crate) async fn run(full: bool) {
    let channels = if full { 10_000 } else { 10 };
    let server = Peer::Broker.start_at(free_address(), &[format!("{EVENT_DATA}={}", BYTES)]);
    let mut publisher = Publisher::connect(server.address).await;
    let data = "x".repeat(BYTES);
    let before = memory(&server);
    for number in 0..channels {
        publisher.send(&event_with(&format!("cache-{number}"), &data)).await;
    }
    println!("the last events of {channels} cache channels, 64 KiB each");
    Goal::AtMost(128.0).print("memory", (memory(&server) - before) / 1024.0, "MiB");
}
