use pusher_client::{BoundEvent, ChannelEvent, Client};

use crate::engine::{RunningEngine, name};
use crate::known_differences::PRESENCE_CACHE;
use crate::next_event::{data, next, next_without_counts, subscribed};

const UNCACHED: [&str; 4] = ["news", "private-a", "presence-a", "private-encrypted-a"];
const CACHED: [&str; 3] = ["cache-news", "private-cache-a", "private-encrypted-cache-a"];

#[tokio::test]
async fn every_kind_of_channel_receives_its_events() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    for channel in UNCACHED {
        let mut subscription = subscribed(&client, channel).await;
        engine.publish(channel, "x").await;
        assert_eq!(data(&mut subscription).await, "x", "{channel}");
    }
}

#[tokio::test]
async fn a_cache_channel_reports_a_miss_and_later_its_last_event() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    for channel in CACHED {
        keeps_the_last_event(&engine, &ada, &bob, channel).await;
    }
    let (mut room, mut errors) = (ada.subscribe(name("presence-cache-a")).await.unwrap(), ada.errors());
    let seen = tokio::select! {
        event = next(&mut room) => {
            assert_eq!(event, ChannelEvent::Subscribed);
            keeps_the_last_event(&engine, &bob, &engine.client("carol"), "presence-cache-a").await;
            "accepted".to_owned()
        }
        error = next(&mut errors) => format!("rejected with {}", error.code().unwrap()),
    };
    PRESENCE_CACHE.check(engine.kind, &seen);
}

async fn keeps_the_last_event(engine: &RunningEngine, ada: &Client, bob: &Client, channel: &str) {
    let mut early = subscribed(ada, channel).await;
    assert_eq!(next_without_counts(&mut early).await, ChannelEvent::CacheMiss, "{channel}");
    engine.publish(channel, "1").await;
    engine.publish(channel, "2").await;
    assert_eq!([data(&mut early).await, data(&mut early).await], ["1", "2"], "{channel}");
    let mut late = subscribed(bob, channel).await;
    assert_eq!(data(&mut late).await, "2", "{channel}");
}

#[tokio::test]
async fn the_events_of_a_channel_arrive_in_order() {
    let engine = RunningEngine::start().await;
    let mut subscription = subscribed(&engine.client("ada"), "private-a").await;
    for n in 0..100 {
        engine.publish("private-a", &n.to_string()).await;
    }
    for n in 0..100 {
        assert_eq!(data(&mut subscription).await, n.to_string());
    }
}

#[tokio::test]
async fn after_unsubscribing_nothing_arrives_and_the_channel_is_vacated() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let mut all = client.bind_global().await.unwrap();
    let unsubscribed = subscribed(&client, "private-a").await;
    client.unsubscribe(unsubscribed.channel()).await.unwrap();
    // Both requests use the same connection, so this confirmation means that the server has handled
    // the unsubscribe.
    let _other = subscribed(&client, "private-b").await;
    assert!(!engine.api.channel("private-a", &[]).await.unwrap().occupied);
    engine.publish("private-a", "1").await;
    engine.publish("private-b", "2").await;
    let BoundEvent::Event(event) = next(&mut all).await else { panic!() };
    assert_eq!(event.data(), "2");
}

#[tokio::test]
async fn after_a_reconnect_the_channels_are_subscribed_again() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let mut subscription = subscribed(&client, "private-a").await;
    client.disconnect().await.unwrap();
    assert_eq!(next_without_counts(&mut subscription).await, ChannelEvent::Interrupted);
    client.connect().await.unwrap();
    assert_eq!(next_without_counts(&mut subscription).await, ChannelEvent::Subscribed);
    engine.publish("private-a", "x").await;
    assert_eq!(data(&mut subscription).await, "x");
}
