use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const NEWS: &str = "cache-news";

fn miss(channel: &str) -> Value {
    json!({"event": "pusher:cache_miss", "channel": channel})
}

#[tokio::test]
async fn a_new_subscriber_gets_the_last_event_right_after_the_confirmation() {
    let broker = broker();
    assert_eq!(publish(&broker, NEWS, "e", "1"), 0);
    publish(&broker, NEWS, "e", "2");
    let mut client = connect(&broker).await;
    client.subscribe(NEWS).await;
    assert_eq!(client.next().await, event("e", NEWS, "2"));
    client.got_nothing().await;
}

#[tokio::test]
async fn every_kind_of_cache_channel_stores_the_last_event_and_no_other_kind_does() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("private-cache-a").await;
    assert_eq!(client.next().await, miss("private-cache-a"));
    client.join("presence-cache-a", "ada").await;
    assert_eq!(client.next().await, miss("presence-cache-a"));
    publish(&broker, "my-cache-a", "e", "1");
    client.subscribe("my-cache-a").await;
    client.got_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_cached_event_expires_after_half_an_hour() {
    let broker = broker();
    publish(&broker, NEWS, "e", "1");
    let mut client = connect(&broker).await;
    tokio::time::advance(Duration::from_secs(30 * 60 - 1)).await;
    let mut client_in_time = connect(&broker).await;
    client_in_time.subscribe(NEWS).await;
    assert_eq!(client_in_time.next().await["event"], "e");
    tokio::time::advance(Duration::from_secs(1)).await;
    client = {
        drop(client);
        connect(&broker).await
    };
    client.subscribe(NEWS).await;
    assert_eq!(client.next().await, miss(NEWS));
}

#[tokio::test]
async fn client_events_are_not_cached() {
    let broker = builder().client_events(true).build();
    let channel = "private-cache-a";
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe(channel).await;
    assert_eq!(ada.next().await, miss(channel));
    ada.send(json!({"event": "client-e", "channel": channel, "data": {}})).await;
    ada.got_nothing().await;
    bob.subscribe(channel).await;
    assert_eq!(bob.next().await, miss(channel));
}
