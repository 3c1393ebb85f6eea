use std::sync::Arc;

use pusher_client::{BoundEvent, ChannelEvent};

use crate::engine::{As, RunningEngine};
use crate::known_differences::{CLIENT_EVENT_ON_CACHE, SENDER};
use crate::next_event::{data, next, next_without_counts, subscribed};

#[tokio::test]
async fn client_events_reach_the_others_with_their_sender() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    for channel in ["presence-room", "private-a"] {
        let room = subscribed(&ada, channel).await;
        let bobs = subscribed(&bob, channel).await;
        let mut typing = bobs.bind("client-typing").await.unwrap();
        let mut mine = ada.bind_global().await.unwrap();
        room.trigger("client-typing", r#"{"on":true}"#).await.unwrap();
        let BoundEvent::Event(event) = next(&mut typing).await else { panic!() };
        assert_eq!(event.data(), r#"{"on":true}"#, "{channel}");
        match channel {
            "presence-room" => SENDER.check(engine.kind, sender(event.user_id())),
            _ => assert_eq!(event.user_id(), None),
        }
        engine.publish(channel, "x").await;
        let BoundEvent::Event(event) = next(&mut mine).await else { panic!() };
        assert_eq!(event.data(), "x", "the sender received its own event");
    }
}

/// Returns, in the words of the known differences, whether an event names ada as its sender.
pub(crate) fn sender(user_id: Option<&str>) -> &'static str {
    match user_id {
        Some("ada") => "included",
        None => "missing",
        Some(other) => panic!("{other} did not send it"),
    }
}

#[tokio::test]
async fn a_cache_channel_does_not_keep_client_events() {
    let engine = RunningEngine::start().await;
    let ada = engine.client("ada");
    let (room, mut errors) = (subscribed(&ada, "private-cache-a").await, ada.errors());
    let mut bobs = subscribed(&engine.client("bob"), "private-cache-a").await;
    assert_eq!(next_without_counts(&mut bobs).await, ChannelEvent::CacheMiss);
    room.trigger("client-typing", "{}").await.unwrap();
    let seen = tokio::select! {
        data = data(&mut bobs) => {
            assert_eq!(data, "{}");
            "delivered".to_owned()
        }
        error = next(&mut errors) => format!("rejected with {}", error.code().unwrap()),
    };
    CLIENT_EVENT_ON_CACHE.check(engine.kind, &seen);
    let mut late = subscribed(&engine.client("carol"), "private-cache-a").await;
    assert_eq!(next_without_counts(&mut late).await, ChannelEvent::CacheMiss);
}

#[tokio::test]
async fn a_client_event_above_the_limit_is_rejected_and_the_connection_stays() {
    let engine = RunningEngine::start().await;
    let client = engine.builder().authorizer(Arc::new(As("ada"))).client_event_limit(None).connect().unwrap();
    let room = subscribed(&client, "private-a").await;
    let mut errors = client.errors();
    for _ in 0..11 {
        room.trigger("client-typing", "{}").await.unwrap();
    }
    assert_eq!(next(&mut errors).await.code(), Some(4301));
    let mut room = room;
    engine.publish("private-a", "x").await;
    assert_eq!(data(&mut room).await, "x");
}
