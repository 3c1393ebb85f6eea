//! Tests that memory returns after a peak. Alone in its program, since it counts all bytes that the
//! program has allocated.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and uses only some of the support"
)]

#[path = "../broker/support.rs"]
mod support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use peak_alloc::PeakAlloc;
use pusher_broker::Broker;
use serde_json::json;
use support::{builder, connect, publish};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Above what the tables of a few channels vary by, and far below those of the peak.
const TOLERANCE: usize = 64 * 1024;

#[tokio::test(start_paused = true)]
async fn the_memory_of_many_channels_returns_when_they_are_gone() {
    let mut limits = pusher_broker::Limits::default();
    (limits.subscriptions, limits.send_queue) = (usize::MAX, usize::MAX);
    let slow = |_| async {
        sleep(Duration::from_secs(1)).await;
        Ok(())
    };
    let broker = builder().limits(limits).webhook(slow).build();
    // Enough that every shard has been used: its maps keep one node each.
    come_and_go(&broker, 3_000).await;
    let before = ALLOCATOR.current_usage();
    let peak = come_and_go(&broker, 10_000).await;
    let after = ALLOCATOR.current_usage();
    assert!(peak > before + 10_000 * 500, "the peak is {peak} bytes after {before}");
    assert!(after < before + TOLERANCE, "{after} bytes are left of {before}");
}

/// Subscribes one connection to this many channels, each with a recorded authorization and a last
/// event. Ends it, and waits until all is forgotten. Returns the bytes that were allocated at most.
async fn come_and_go(broker: &Broker, channels: usize) -> usize {
    let mut client = connect(broker).await;
    for number in 0..channels {
        let name = format!("cache-{number}");
        broker.record_authorization(&client.id, &name.parse().unwrap(), None);
        publish(broker, &name, "e", "x");
        let subscribe = json!({"event": "pusher:subscribe", "data": {"channel": name}});
        client.ws.feed(Message::text(subscribe.to_string())).await.unwrap();
        client.ws.flush().await.unwrap();
        // The confirmation and the last event.
        for _ in 0..2 {
            client.ws.next().await.unwrap().unwrap();
        }
    }
    let peak = ALLOCATOR.current_usage();
    drop(client);
    sleep(Duration::from_secs(60 * 60)).await;
    assert_eq!(broker.connections(), 0);
    peak
}
