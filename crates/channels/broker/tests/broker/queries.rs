use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const CHANNELS: &str = "/apps/3/channels";

#[tokio::test]
async fn occupied_channels_are_listed_by_prefix_with_their_users() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    assert_eq!(get_json(&broker, CHANNELS, &[]).await, json!({"channels": {}}));
    ada.subscribe("news").await;
    ada.join("presence-room", "ada").await;
    bob.join("presence-room", "bob").await;
    bob.subscribe("private-bob").await;
    let all = json!({"channels": {"news": {}, "presence-room": {}, "private-bob": {}}});
    assert_eq!(get_json(&broker, CHANNELS, &[]).await, all);
    let query = [("filter_by_prefix", "presence-"), ("info", "user_count")];
    let counted = json!({"channels": {"presence-room": {"user_count": 2}}});
    assert_eq!(get_json(&broker, CHANNELS, &query).await, counted);
}

#[tokio::test]
async fn a_query_returns_the_requested_attributes_of_a_channel() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.join("presence-room", "ada").await;
    bob.join("presence-room", "ada").await;
    for (channel, info, answer) in [
        ("nobody", "", json!({"occupied": false})),
        ("nobody", "subscription_count", json!({"occupied": false, "subscription_count": 0})),
        ("presence-nobody", "user_count", json!({"occupied": false, "user_count": 0})),
        ("presence-room", "", json!({"occupied": true})),
        (
            "presence-room",
            "user_count,subscription_count",
            json!({"occupied": true, "user_count": 1, "subscription_count": 2}),
        ),
    ] {
        let path = format!("{CHANNELS}/{channel}");
        let query: &[_] = if info.is_empty() { &[] } else { &[("info", info)] };
        assert_eq!(get_json(&broker, &path, query).await, answer, "{channel} {info}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_returns_the_last_event_of_a_cache_channel() {
    let broker = broker();
    let cached = || get_json(&broker, "/apps/3/channels/cache-news", &[("info", "cache")]);
    assert_eq!(cached().await, json!({"occupied": false, "cache": null}));
    publish(&broker, "cache-news", "e", "{\"a\":\"é\"}");
    tokio::time::advance(Duration::from_secs(800)).await;
    assert_eq!(cached().await, json!({"occupied": false, "cache": {"data": "{\"a\":\"é\"}", "ttl": 1_000}}));
}

#[tokio::test]
async fn the_users_of_a_presence_channel_are_listed() {
    let broker = broker();
    let users = || get_json(&broker, "/apps/3/channels/presence-room/users", &[]);
    assert_eq!(users().await, json!({"users": []}));
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    bob.join("presence-room", "bob").await;
    ada.join("presence-room", "ada").await;
    assert_eq!(users().await, json!({"users": [{"id": "ada"}, {"id": "bob"}]}));
}

#[tokio::test]
async fn an_attribute_that_a_channel_does_not_have_is_rejected_with_400_and_a_text() {
    let broker = broker();
    let room = "/apps/3/channels/presence-room";
    for (path, query) in [
        (CHANNELS, &[("info", "user_count")][..]),
        (CHANNELS, &[("filter_by_prefix", "private-"), ("info", "user_count")]),
        (CHANNELS, &[("info", "subscription_count")]),
        (CHANNELS, &[("info", "ages")]),
        ("/apps/3/channels/news", &[("info", "user_count")]),
        ("/apps/3/channels/news", &[("info", "cache")]),
        ("/apps/3/channels/news/users", &[]),
        ("/apps/3/channels/a%20b", &[]),
        (room, &[("info", "ages")]),
    ] {
        let (status, text) = get(&broker, path, query).await;
        assert_eq!((status.as_u16(), text.is_empty()), (400, false), "{path} {query:?}");
    }
    let (_, text) = get(&broker, "/apps/3/channels/news", &[("info", "user_count")]).await;
    assert_eq!(text, "Cannot retrieve the user count unless the channel is a presence channel");
}

#[tokio::test]
async fn queries_need_a_signature_and_the_right_app() {
    let broker = broker();
    for path in [CHANNELS, "/apps/3/channels/news", "/apps/3/channels/presence-room/users"] {
        let request = hyper::Request::get(path).body(Default::default()).unwrap();
        assert_eq!(send(&broker, request).await.0, 401, "{path}");
        assert_eq!(get(&broker, &path.replace('3', "4"), &[]).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_query_may_carry_the_md5_of_an_empty_body() {
    // Pusher's Python library sends it.
    let broker = broker();
    let request = pusher_signer::Request::new("GET", CHANNELS).with_body(b"".as_slice());
    let query = signer().sign_request(&request, NOW).unwrap();
    let path = format!("{CHANNELS}?{}", serde_urlencoded::to_string(query).unwrap());
    let request = hyper::Request::get(path).body(Default::default()).unwrap();
    assert_eq!(send(&broker, request).await.0, 200);
}

#[tokio::test]
async fn publishing_returns_the_requested_attributes_of_the_channels() {
    let broker = broker();
    let mut ada = connect(&broker).await;
    ada.join("presence-room", "ada").await;
    ada.subscribe("news").await;
    let info = "user_count,subscription_count";
    let body = json!({"name": "e", "channels": ["presence-room", "news"], "data": "", "info": info});
    let (status, text) = post(&broker, "/apps/3/events", &body.to_string()).await;
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({"channels": {"presence-room": {"user_count": 1, "subscription_count": 1}, "news": {"subscription_count": 1}}})
    );
    let event = |channel: &str, info: &str| match info {
        "" => json!({"name": "e", "channel": channel, "data": ""}),
        info => json!({"name": "e", "channel": channel, "data": "", "info": info}),
    };
    let body = json!({"batch": [event("presence-room", "user_count"), event("news", ""), event("news", "subscription_count")]});
    let (_, text) = post(&broker, "/apps/3/batch_events", &body.to_string()).await;
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({"batch": [{"user_count": 1}, {}, {"subscription_count": 1}]})
    );
}
