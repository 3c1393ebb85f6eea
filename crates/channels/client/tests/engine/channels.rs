use pusher_client::{BoundEvent, ChannelEvent, Client};

use crate::differences::PRESENCE_CACHE;
use crate::place::{Place, name};
use crate::reading::{data, next, next_but_counts, subscribed};

const UNCACHED: [&str; 4] = ["news", "private-a", "presence-a", "private-encrypted-a"];
const CACHED: [&str; 3] = ["cache-news", "private-cache-a", "private-encrypted-cache-a"];

#[tokio::test]
async fn every_kind_of_channel_gets_its_events() {
    let place = Place::start().await;
    let client = place.client("ada");
    for channel in UNCACHED {
        let mut subscription = subscribed(&client, channel).await;
        place.publish(channel, "x").await;
        assert_eq!(data(&mut subscription).await, "x", "{channel}");
    }
}

#[tokio::test]
async fn a_cache_channel_tells_that_it_keeps_nothing_and_then_what_it_keeps() {
    let place = Place::start().await;
    let (ada, bob) = (place.client("ada"), place.client("bob"));
    for channel in CACHED {
        keeps_the_last_event(&place, &ada, &bob, channel).await;
    }
    let (mut room, mut errors) = (ada.subscribe(name("presence-cache-a")).await.unwrap(), ada.errors());
    let seen = tokio::select! {
        event = next(&mut room) => {
            assert_eq!(event, ChannelEvent::Subscribed);
            keeps_the_last_event(&place, &bob, &place.client("carol"), "presence-cache-a").await;
            "joined".to_owned()
        }
        error = next(&mut errors) => format!("refused with {}", error.code().unwrap()),
    };
    PRESENCE_CACHE.check(place.engine, &seen);
}

async fn keeps_the_last_event(place: &Place, ada: &Client, bob: &Client, channel: &str) {
    let mut early = subscribed(ada, channel).await;
    assert_eq!(next_but_counts(&mut early).await, ChannelEvent::CacheMiss, "{channel}");
    place.publish(channel, "1").await;
    place.publish(channel, "2").await;
    assert_eq!([data(&mut early).await, data(&mut early).await], ["1", "2"], "{channel}");
    let mut late = subscribed(bob, channel).await;
    assert_eq!(data(&mut late).await, "2", "{channel}");
}

#[tokio::test]
async fn the_events_of_a_channel_come_in_their_order() {
    let place = Place::start().await;
    let mut subscription = subscribed(&place.client("ada"), "private-a").await;
    for n in 0..100 {
        place.publish("private-a", &n.to_string()).await;
    }
    for n in 0..100 {
        assert_eq!(data(&mut subscription).await, n.to_string());
    }
}

#[tokio::test]
async fn who_unsubscribes_gets_nothing_more_and_vacates_the_channel() {
    let place = Place::start().await;
    let client = place.client("ada");
    let mut all = client.bind_global().await.unwrap();
    let left = subscribed(&client, "private-a").await;
    client.unsubscribe(left.channel()).await.unwrap();
    // Told over the same connection afterwards.
    let _other = subscribed(&client, "private-b").await;
    assert!(!place.api.channel(&name("private-a"), &[]).await.unwrap().occupied);
    place.publish("private-a", "1").await;
    place.publish("private-b", "2").await;
    let BoundEvent::Event(event) = next(&mut all).await else { panic!() };
    assert_eq!(event.data(), "2");
}

#[tokio::test]
async fn who_reconnects_is_subscribed_again() {
    let place = Place::start().await;
    let client = place.client("ada");
    let mut subscription = subscribed(&client, "private-a").await;
    client.disconnect().await.unwrap();
    assert_eq!(next_but_counts(&mut subscription).await, ChannelEvent::Interrupted);
    client.connect().await.unwrap();
    assert_eq!(next_but_counts(&mut subscription).await, ChannelEvent::Subscribed);
    place.publish("private-a", "x").await;
    assert_eq!(data(&mut subscription).await, "x");
}
