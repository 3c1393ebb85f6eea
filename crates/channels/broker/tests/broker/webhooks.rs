use std::sync::{Arc, Mutex};
use std::time::Duration;

use pusher_broker::{Broker, Builder, Webhook};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::support::*;

/// Returns a broker, and a receiver of its webhooks.
fn broker_with_webhooks(
    configure: impl FnOnce(Builder) -> Builder,
) -> (Broker, mpsc::UnboundedReceiver<Webhook>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = builder().client_events(true).webhook(move |webhook| {
        let sent = sender.send(webhook).map_err(|_| "the receiver is gone".to_owned());
        async move { sent }
    });
    (configure(builder).build(), receiver)
}

/// Returns the events of the next webhooks, at least `count`.
async fn events(webhooks: &mut mpsc::UnboundedReceiver<Webhook>, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    while events.len() < count {
        let webhook = webhooks.recv().await.unwrap();
        let body: Value = serde_json::from_str(webhook.body()).unwrap();
        events.extend(body["events"].as_array().unwrap().iter().cloned());
    }
    events
}

#[tokio::test]
async fn a_webhook_carries_a_signature_and_a_time() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    connect(&broker).await.subscribe("news").await;
    let webhook = webhooks.recv().await.unwrap();
    let [content_type, (_, key), (_, signature)] = webhook.headers();
    assert_eq!(content_type, ("Content-Type", "application/json"));
    signer().verify_webhook(Some(key), Some(signature), webhook.body().as_bytes()).unwrap();
    assert_eq!(
        webhook.body(),
        r#"{"time_ms":1700000000000,"events":[{"name":"channel_occupied","channel":"news"}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn all_seven_kinds_of_events_are_sent() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder.subscription_counts(true));
    let mut client = connect(&broker).await;
    let channel = "presence-cache-room";
    client.join(channel, "ada").await;
    assert_eq!(client.next().await["event"], "pusher:cache_miss");
    client.send(json!({"event": "client-e", "channel": channel, "data": {"a": 1}})).await;
    client.subscribe("news").await;
    assert_eq!(
        events(&mut webhooks, 6).await,
        [
            json!({"name": "channel_occupied", "channel": channel}),
            json!({"name": "member_added", "channel": channel, "user_id": "ada"}),
            json!({"name": "cache_miss", "channel": channel}),
            json!({
                "name": "client_event", "channel": channel, "event": "client-e", "data": "{\"a\":1}",
                "socket_id": client.id.as_str(), "user_id": "ada",
            }),
            json!({"name": "channel_occupied", "channel": "news"}),
            json!({"name": "subscription_count", "channel": "news", "subscription_count": 1}),
        ]
    );
    client.unsubscribe(channel).await;
    client.unsubscribe("news").await;
    let start = Instant::now();
    assert_eq!(
        events(&mut webhooks, 4).await,
        [
            json!({"name": "subscription_count", "channel": "news", "subscription_count": 0}),
            json!({"name": "member_removed", "channel": channel, "user_id": "ada"}),
            json!({"name": "channel_vacated", "channel": channel}),
            json!({"name": "channel_vacated", "channel": "news"}),
        ]
    );
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_return_within_three_seconds_cancels_the_departure() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    let mut client = connect(&broker).await;
    client.join("presence-room", "ada").await;
    assert_eq!(events(&mut webhooks, 2).await.len(), 2);
    client.unsubscribe("presence-room").await;
    tokio::time::sleep(Duration::from_millis(2_900)).await;
    client.join("presence-room", "ada").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.subscribe("end").await;
    let end = json!({"name": "channel_occupied", "channel": "end"});
    assert_eq!(events(&mut webhooks, 1).await, [end]);
}

#[tokio::test]
async fn a_cache_miss_is_sent_once_until_the_next_event() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    for client in [&mut ada, &mut bob] {
        client.subscribe("cache-a").await;
        assert_eq!(client.next().await["event"], "pusher:cache_miss");
    }
    bob.subscribe("end").await;
    let names: Vec<_> = events(&mut webhooks, 3).await.iter().map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["channel_occupied", "cache_miss", "channel_occupied"]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_fails_is_retried_for_five_minutes() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let attempts = sent.clone();
    let start = Instant::now();
    let broker = builder()
        .webhook(move |webhook| {
            attempts.lock().unwrap().push((start.elapsed().as_secs(), webhook));
            async { Err("no".to_owned()) }
        })
        .build();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    tokio::time::sleep(Duration::from_secs(310)).await;
    // Ignore the webhook about the client, which is closed since it answers no ping.
    let mut attempts = sent.lock().unwrap().clone();
    let first = attempts[0].1.clone();
    attempts.retain(|(_, webhook)| *webhook == first);
    let times: Vec<_> = attempts.iter().map(|(second, _)| *second).collect();
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_does_not_answer_delays_no_other() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder.webhook(|_| std::future::pending()));
    let start = Instant::now();
    connect(&broker).await.subscribe("news").await;
    events(&mut webhooks, 1).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn dropping_the_broker_ends_its_deliveries() {
    let (broker, mut webhooks) = broker_with_webhooks(|builder| builder);
    connect(&broker).await.subscribe("news").await;
    events(&mut webhooks, 1).await;
    broker.shutdown().await;
    drop(broker);
    assert_eq!(webhooks.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_sending_a_webhook_is_reported() {
    let broker = builder().webhook(|_| async { panic!("planned") }).build();
    let failed = broker.failed();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    assert_eq!(failed.await, "webhooks");
}
