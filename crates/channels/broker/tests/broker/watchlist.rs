use serde_json::{Value, json};

use crate::support::*;

fn events(events: Value) -> Value {
    let data = json!({"events": events}).to_string();
    json!({"event": "pusher_internal:watchlist_events", "data": data})
}

#[tokio::test]
async fn a_watcher_receives_the_state_of_the_watchlist_and_then_every_change() {
    let broker = broker();
    let (mut ada, mut bob, mut tablet) =
        (connect(&broker).await, connect(&broker).await, connect(&broker).await);
    bob.sign_in("bob").await;
    ada.try_sign_in(r#"{"id":"ada","watchlist":["bob","eve","bob"]}"#).await;
    assert_eq!(
        ada.next().await,
        events(json!([{"name": "online", "user_ids": ["bob"]}, {"name": "offline", "user_ids": ["eve"]}]))
    );
    tablet.sign_in("bob").await;
    ada.got_nothing().await;
    drop(bob);
    let mut eve = connect(&broker).await;
    eve.sign_in("eve").await;
    assert_eq!(ada.next().await, events(json!([{"name": "online", "user_ids": ["eve"]}])));
    drop(tablet);
    assert_eq!(ada.next().await, events(json!([{"name": "offline", "user_ids": ["bob"]}])));
}

#[tokio::test]
async fn the_first_100_users_of_a_longer_watchlist_are_watched() {
    let broker = broker();
    let (mut ada, mut last, mut first) =
        (connect(&broker).await, connect(&broker).await, connect(&broker).await);
    let users: Vec<_> = (0..101).map(|n| format!("user-{n}")).collect();
    let answer = ada.try_sign_in(&json!({"id": "ada", "watchlist": users}).to_string()).await;
    assert_eq!(answer["event"], "pusher:signin_success");
    let state = data_of(&ada.next().await);
    assert_eq!(state["events"][0]["user_ids"].as_array().unwrap().len(), 100);
    let error_event = ada.next().await;
    assert_eq!((&error_event["event"], &error_event["data"]["code"]), (&json!("pusher:error"), &json!(4302)));
    last.sign_in("user-100").await;
    first.sign_in("user-0").await;
    assert_eq!(ada.next().await, events(json!([{"name": "online", "user_ids": ["user-0"]}])));
}
