use pusher_client::Attribute;
use serde_json::json;

use crate::engine::RunningEngine;
use crate::known_differences::{CACHE_OF_CHANNEL, CHANNEL_LIST};
use crate::next_event::subscribed;

#[tokio::test]
async fn occupied_channels_are_listed_by_prefix_with_their_users() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    let _subscriptions = [
        subscribed(&ada, "presence-room").await,
        subscribed(&bob, "presence-room").await,
        subscribed(&ada, "private-a").await,
        subscribed(&ada, "news").await,
    ];
    let users = engine.api.channels(Some("presence-"), &[Attribute::UserCount]).await.unwrap();
    let users: Vec<_> = users.iter().map(|(name, counts)| (name.as_str(), counts.user_count)).collect();
    assert_eq!(users, [("presence-room", Some(2))]);
    let all = engine.api.channels(None, &[]).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["news", "presence-room", "private-a"]);
    assert!(engine.api.channels(Some("cache-"), &[]).await.unwrap().is_empty());
    assert_eq!(engine.api.users("presence-room").await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_list_contains_the_channels_that_are_occupied_now() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let _first = subscribed(&client, "news").await;
    assert_eq!(engine.api.channels(None, &[]).await.unwrap().len(), 1);
    let _second = subscribed(&client, "private-a").await;
    let seen = match engine.api.channels(None, &[]).await.unwrap().contains_key("private-a") {
        true => "includes the channel",
        false => "omits it",
    };
    CHANNEL_LIST.check(engine.kind, seen);
}

#[tokio::test]
async fn one_channel_is_described() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let _room = subscribed(&client, "presence-room").await;
    let counts = [Attribute::UserCount, Attribute::SubscriptionCount];
    let room = engine.api.channel("presence-room", &counts).await.unwrap();
    assert_eq!(
        (room.occupied, room.counts.user_count, room.counts.subscription_count),
        (true, Some(1), Some(1))
    );
    assert_eq!(engine.api.users("presence-room").await.unwrap(), ["ada"]);
    let empty = engine.api.channel("presence-empty", &[Attribute::UserCount]).await.unwrap();
    assert_eq!((empty.occupied, empty.counts.user_count), (false, Some(0)));
}

#[tokio::test]
async fn an_empty_channel_has_no_users() {
    let engine = RunningEngine::start().await;
    assert!(engine.api.users("presence-empty").await.unwrap().is_empty());
}

#[tokio::test]
async fn the_last_event_of_a_cache_channel_is_returned() {
    let engine = RunningEngine::start().await;
    let cache = [Attribute::Cache];
    assert_eq!(engine.api.channel("cache-news", &cache).await.unwrap().cache, None);
    engine.publish("cache-news", r#"{"n":1}"#).await;
    let cached = engine.api.channel("cache-news", &cache).await.unwrap().cache.unwrap();
    let seen = match cached.data.as_str() {
        r#"{"n":1}"# => "the data of the event",
        other => {
            let frame: serde_json::Value = serde_json::from_str(other).unwrap();
            assert_eq!(frame, json!({"event": "news", "channel": "cache-news", "data": r#"{"n":1}"#}));
            "the frame of the event"
        }
    };
    CACHE_OF_CHANNEL.check(engine.kind, seen);
    assert!((1..=30 * 60).contains(&cached.ttl), "{} s", cached.ttl);
}
