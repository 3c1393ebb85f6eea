use std::sync::Arc;

use pusher_client::{BoundEvent, ChannelEvent};

use crate::differences::{CLIENT_EVENT_ON_CACHE, SENDER};
use crate::place::{As, Place};
use crate::reading::{data, next, next_but_counts, subscribed};

#[tokio::test]
async fn client_events_reach_the_others_with_their_sender() {
    let place = Place::start().await;
    let (ada, bob) = (place.client("ada"), place.client("bob"));
    for channel in ["presence-room", "private-a"] {
        let room = subscribed(&ada, channel).await;
        let theirs = subscribed(&bob, channel).await;
        let mut typing = theirs.bind("client-typing").await.unwrap();
        let mut mine = ada.bind_global().await.unwrap();
        room.trigger("client-typing", r#"{"on":true}"#).await.unwrap();
        let BoundEvent::Event(event) = next(&mut typing).await else { panic!() };
        assert_eq!(event.data(), r#"{"on":true}"#, "{channel}");
        match channel {
            "presence-room" => SENDER.check(place.engine, sender(event.user_id())),
            _ => assert_eq!(event.user_id(), None),
        }
        place.publish(channel, "x").await;
        let BoundEvent::Event(event) = next(&mut mine).await else { panic!() };
        assert_eq!(event.data(), "x", "one's own event came back");
    }
}

/// Whether ada was named.
pub(crate) fn sender(user_id: Option<&str>) -> &'static str {
    match user_id {
        Some("ada") => "told",
        None => "not told",
        Some(other) => panic!("{other} did not send it"),
    }
}

#[tokio::test]
async fn a_cache_channel_keeps_no_client_event() {
    let place = Place::start().await;
    let ada = place.client("ada");
    let (room, mut errors) = (subscribed(&ada, "private-cache-a").await, ada.errors());
    let mut theirs = subscribed(&place.client("bob"), "private-cache-a").await;
    assert_eq!(next_but_counts(&mut theirs).await, ChannelEvent::CacheMiss);
    room.trigger("client-typing", "{}").await.unwrap();
    let seen = tokio::select! {
        data = data(&mut theirs) => {
            assert_eq!(data, "{}");
            "passed on".to_owned()
        }
        error = next(&mut errors) => format!("refused with {}", error.code().unwrap()),
    };
    CLIENT_EVENT_ON_CACHE.check(place.engine, &seen);
    let mut late = subscribed(&place.client("carol"), "private-cache-a").await;
    assert_eq!(next_but_counts(&mut late).await, ChannelEvent::CacheMiss);
}

#[tokio::test]
async fn one_too_many_in_a_second_is_refused_and_the_connection_stays() {
    let place = Place::start().await;
    let client = place.builder().authorizer(Arc::new(As("ada"))).client_event_limit(None).connect().unwrap();
    let room = subscribed(&client, "private-a").await;
    let mut errors = client.errors();
    for _ in 0..11 {
        room.trigger("client-typing", "{}").await.unwrap();
    }
    assert_eq!(next(&mut errors).await.code(), Some(4301));
    let mut theirs = room;
    place.publish("private-a", "x").await;
    assert_eq!(data(&mut theirs).await, "x");
}
