use pusher_client::Attribute;
use serde_json::json;

use crate::differences::{CACHE_OF_CHANNEL, CHANNEL_LIST};
use crate::place::{Place, name};
use crate::reading::subscribed;

#[tokio::test]
async fn occupied_channels_are_listed_by_prefix_with_their_users() {
    let place = Place::start().await;
    let (ada, bob) = (place.client("ada"), place.client("bob"));
    let _subscriptions = [
        subscribed(&ada, "presence-room").await,
        subscribed(&bob, "presence-room").await,
        subscribed(&ada, "private-a").await,
        subscribed(&ada, "news").await,
    ];
    let users = place.api.channels(Some("presence-"), &[Attribute::UserCount]).await.unwrap();
    let users: Vec<_> = users.iter().map(|(name, counts)| (name.as_str(), counts.user_count)).collect();
    assert_eq!(users, [("presence-room", Some(2))]);
    let all = place.api.channels(None, &[]).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["news", "presence-room", "private-a"]);
    assert!(place.api.channels(Some("cache-"), &[]).await.unwrap().is_empty());
    assert_eq!(place.api.users(&name("presence-room")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_list_is_what_is_occupied_now() {
    let place = Place::start().await;
    let client = place.client("ada");
    let _first = subscribed(&client, "news").await;
    assert_eq!(place.api.channels(None, &[]).await.unwrap().len(), 1);
    let _second = subscribed(&client, "private-a").await;
    let seen = match place.api.channels(None, &[]).await.unwrap().contains_key("private-a") {
        true => "with the channel",
        false => "without it",
    };
    CHANNEL_LIST.check(place.engine, seen);
}

#[tokio::test]
async fn one_channel_is_described() {
    let place = Place::start().await;
    let client = place.client("ada");
    let _room = subscribed(&client, "presence-room").await;
    let counts = [Attribute::UserCount, Attribute::SubscriptionCount];
    let room = place.api.channel(&name("presence-room"), &counts).await.unwrap();
    assert_eq!(
        (room.occupied, room.counts.user_count, room.counts.subscription_count),
        (true, Some(1), Some(1))
    );
    assert_eq!(place.api.users(&name("presence-room")).await.unwrap(), ["ada"]);
    let empty = place.api.channel(&name("presence-empty"), &[Attribute::UserCount]).await.unwrap();
    assert_eq!((empty.occupied, empty.counts.user_count), (false, Some(0)));
}

#[tokio::test]
async fn the_users_of_an_empty_channel_are_nobody() {
    let place = Place::start().await;
    assert!(place.api.users(&name("presence-empty")).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_cache_channel_keeps_is_told() {
    let place = Place::start().await;
    let cache = [Attribute::Cache];
    assert_eq!(place.api.channel(&name("cache-news"), &cache).await.unwrap().cache, None);
    place.publish("cache-news", r#"{"n":1}"#).await;
    let kept = place.api.channel(&name("cache-news"), &cache).await.unwrap().cache.unwrap();
    let seen = match kept.data.as_str() {
        r#"{"n":1}"# => "the data of the event",
        other => {
            let frame: serde_json::Value = serde_json::from_str(other).unwrap();
            assert_eq!(frame, json!({"event": "news", "channel": "cache-news", "data": r#"{"n":1}"#}));
            "the frame of the event"
        }
    };
    CACHE_OF_CHANNEL.check(place.engine, seen);
    assert!((1..=30 * 60).contains(&kept.ttl), "{} s", kept.ttl);
}
