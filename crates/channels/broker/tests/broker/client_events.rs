use pusher_broker::Broker;
use serde_json::{Value, json};

use crate::support::*;

const ROOM: &str = "private-room";

fn broker() -> Broker {
    builder().client_events(true).build()
}

fn typing(channel: &str, data: &Value) -> Value {
    json!({"event": "client-typing", "channel": channel, "data": data})
}

#[tokio::test]
async fn a_client_event_reaches_the_others_and_not_its_sender() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe(ROOM).await;
    bob.subscribe(ROOM).await;
    // An object arrives as its JSON text, as the data of every event does.
    for (data, text) in
        [(json!({"a": 1}), r#"{"a":1}"#), (json!("plain"), "plain"), (json!("{\"a\":1}"), r#"{"a":1}"#)]
    {
        ada.send(typing(ROOM, &data)).await;
        assert_eq!(bob.next().await, event("client-typing", ROOM, text));
    }
    ada.got_nothing().await;
}

#[tokio::test]
async fn in_a_presence_channel_the_broker_adds_the_senders_user_id() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.join("presence-room", "ada").await;
    bob.join("presence-room", "bob").await;
    let mut forged = typing("presence-room", &json!({}));
    forged["user_id"] = json!("eve");
    bob.send(forged).await;
    assert_eq!(ada.next().await["event"], "pusher_internal:member_added");
    let mut expected = event("client-typing", "presence-room", "{}");
    expected["user_id"] = json!("bob");
    assert_eq!(ada.next().await, expected);
}

#[tokio::test]
async fn invalid_client_events_are_rejected_with_pushers_messages_and_not_delivered() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    bob.subscribe("news").await;
    bob.subscribe(ROOM).await;
    ada.subscribe("news").await;
    ada.sign_in("ada").await;
    ada.subscribe("#server-to-user-ada").await;
    let not_subscribed = "Cannot broadcast client event (connection not subscribed to channel private-room)";
    let public = "Client event rejected - only supported on private and presence channels";
    for (channel, message) in [(ROOM, not_subscribed), ("news", public), ("#server-to-user-ada", public)] {
        ada.send(typing(channel, &json!({}))).await;
        assert_eq!(ada.next().await, error(message, Some(channel)));
    }
    ada.subscribe(ROOM).await;
    let incomplete = "Invalid client event (must contain channel and data)";
    ada.send(json!({"event": "client-typing", "data": {}})).await;
    assert_eq!(ada.next().await, error(incomplete, None));
    ada.send(json!({"event": "client-typing", "channel": ROOM})).await;
    assert_eq!(ada.next().await, error(incomplete, Some(ROOM)));
    for (name, data) in [
        ("client-".to_owned() + &"a".repeat(194), json!({})),
        ("client-\n".to_owned(), json!({})),
        ("client-e".to_owned(), json!("a".repeat(10_241))),
    ] {
        ada.send(json!({"event": name, "channel": ROOM, "data": data})).await;
        let answer = ada.next().await;
        assert_eq!((&answer["event"], &answer["channel"]), (&json!("pusher:error"), &json!(ROOM)), "{name}");
    }
    for channel in ["", "private-a b", &format!("private-{}", "a".repeat(160))] {
        ada.send(typing(channel, &json!({}))).await;
        assert_eq!(ada.next().await["event"], "pusher:error", "{channel}");
    }
    bob.got_nothing().await;
}

#[tokio::test]
async fn client_events_work_on_encrypted_channels() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    let channel = "private-encrypted-room";
    for client in [&mut ada, &mut bob] {
        let auth = signer().sign(format!("{}:{channel}", client.id).as_bytes());
        client.try_subscribe(channel, &format!("app-key:{auth}")).await;
    }
    ada.send(typing(channel, &json!({}))).await;
    assert_eq!(bob.next().await["event"], "client-typing");
}

#[tokio::test(start_paused = true)]
async fn the_eleventh_client_event_in_a_second_is_rejected_with_4301_and_the_connection_stays() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe(ROOM).await;
    bob.subscribe(ROOM).await;
    for n in 0..11 {
        ada.send(typing(ROOM, &json!(n))).await;
    }
    let refused = ada.next().await;
    assert_eq!(refused["data"], json!({"code": 4301, "message": "Client event rejected due to rate limit"}));
    for n in 0..10 {
        assert_eq!(bob.next().await["data"], n.to_string());
    }
    bob.got_nothing().await;
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    ada.send(typing(ROOM, &json!("later"))).await;
    assert_eq!(bob.next().await["data"], "later");
}

#[tokio::test]
async fn escapes_do_not_make_an_event_too_long() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe(ROOM).await;
    bob.subscribe(ROOM).await;
    for character in ["\u{1}", "\"", "é"] {
        let longest = character.repeat(10_240 / character.len());
        ada.send(typing(ROOM, &json!(longest))).await;
        assert_eq!(bob.next().await, event("client-typing", ROOM, &longest));
        ada.send(typing(ROOM, &json!(format!("{longest}{character}")))).await;
        let message = ada.next().await["data"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("exceeds the allowed maximum (10240 bytes)"), "{message}");
    }
}
