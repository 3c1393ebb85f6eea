use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::*;

fn count(channel: &str, count: usize) -> Value {
    let data = json!({"subscription_count": count}).to_string();
    json!({"event": "pusher_internal:subscription_count", "channel": channel, "data": data})
}

#[tokio::test]
async fn subscribers_are_told_how_many_they_are_where_that_is_on() {
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
async fn above_a_hundred_the_count_is_told_every_five_seconds_at_most() {
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
async fn around_a_hundred_the_count_is_told_no_oftener() {
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
    // Every second one comes or goes, in the middle of it.
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
    let mut told = Vec::new();
    while start.elapsed() < Duration::from_secs(30) {
        tokio::select! {
            frame = witness.next() => {
                assert_eq!(frame["event"], "pusher_internal:subscription_count");
                told.push(start.elapsed().as_secs());
            }
            () = &mut come_and_go => {}
        }
    }
    assert_eq!(told, [5, 10, 15, 20, 25, 30]);
}

#[tokio::test(start_paused = true)]
async fn big_channels_each_have_their_own_turn() {
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
