use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::*;

fn count(channel: &str, count: usize) -> Value {
    let data = json!({"subscription_count": count}).to_string();
    json!({"event": "pusher_internal:subscription_count", "channel": channel, "data": data})
}

#[tokio::test]
async fn subscribers_receive_their_count_if_that_is_enabled() {
    let broker = builder().subscription_counts(true).build();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe("news").await;
    assert_eq!(ada.next().await, count("news", 1));
    bob.subscribe("news").await;
    assert_eq!(bob.next().await, count("news", 2));
    assert_eq!(ada.next().await, count("news", 2));
    bob.unsubscribe("news").await;
    assert_eq!(ada.next().await, count("news", 1));
    ada.join("presence-room", "ada").await;
    ada.got_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn above_100_subscribers_the_count_is_sent_every_five_seconds_at_most() {
    let broker = builder().subscription_counts(true).build();
    let mut clients = Vec::new();
    for n in 1..=100 {
        let mut client = connect(&broker).await;
        client.subscribe("news").await;
        assert_eq!(client.next().await, count("news", n));
        clients.push(client);
    }
    let start = Instant::now();
    for _ in 0..10 {
        let mut client = connect(&broker).await;
        client.subscribe("news").await;
        clients.push(client);
    }
    let last = clients.last_mut().unwrap();
    assert_eq!(last.next().await, count("news", 110));
    assert_eq!(start.elapsed().as_secs(), 5);
    clients.truncate(102);
    let mut probe = connect(&broker).await;
    probe.subscribe("news").await;
    assert_eq!(probe.next().await, count("news", 103));
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn around_100_subscribers_the_count_is_sent_every_five_seconds_at_most() {
    let broker = builder().subscription_counts(true).build();
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut client = connect(&broker).await;
        client.subscribe("news").await;
        clients.push(client);
    }
    let mut witness = connect(&broker).await;
    witness.subscribe("news").await;
    let start = Instant::now();
    // Each second a client subscribes or unsubscribes, half a second off the schedule.
    let mut come_and_go = Box::pin(async {
        let mut client = clients.pop().unwrap();
        sleep(Duration::from_millis(500)).await;
        loop {
            client.unsubscribe("news").await;
            sleep(Duration::from_secs(1)).await;
            client.send(json!({"event": "pusher:subscribe", "data": {"channel": "news"}})).await;
            sleep(Duration::from_secs(1)).await;
        }
    });
    let mut sent = Vec::new();
    while start.elapsed() < Duration::from_secs(30) {
        tokio::select! {
            frame = witness.next() => {
                assert_eq!(frame["event"], "pusher_internal:subscription_count");
                sent.push(start.elapsed().as_secs());
            }
            () = &mut come_and_go => {}
        }
    }
    assert_eq!(sent, [5, 10, 15, 20, 25, 30]);
}

#[tokio::test(start_paused = true)]
async fn each_large_channel_has_its_own_schedule() {
    let broker = builder().subscription_counts(true).build();
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut client = connect(&broker).await;
        for channel in ["news", "sports"] {
            client.send(json!({"event": "pusher:subscribe", "data": {"channel": channel}})).await;
        }
        clients.push(client);
    }
    let mut witness = connect(&broker).await;
    witness.subscribe("news").await;
    sleep(Duration::from_secs(4)).await;
    let start = Instant::now();
    witness.subscribe("sports").await;
    assert_eq!(witness.next().await, count("news", 101));
    assert_eq!(start.elapsed().as_secs(), 1);
    assert_eq!(witness.next().await, count("sports", 101));
    assert_eq!(start.elapsed().as_secs(), 5);
}
