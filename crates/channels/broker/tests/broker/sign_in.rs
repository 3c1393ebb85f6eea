use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn only_the_signed_in_user_can_subscribe_to_the_users_channel() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    let channel = "#server-to-user-ada";
    let message = "Cannot subscribe to #server-to-user-ada: the connection is not signed in as its user";
    assert_eq!(ada.try_subscribe(channel, "").await, error(message, Some(channel)));
    ada.sign_in("ada").await;
    bob.sign_in("bob").await;
    assert_eq!(bob.try_subscribe(channel, "").await, error(message, Some(channel)));
    ada.subscribe(channel).await;
    let body = json!({"name": "e", "channels": [channel], "data": "1"}).to_string();
    assert_eq!(post(&broker, "/apps/3/events", &body).await.0, 200);
    assert_eq!(ada.next().await, event("e", channel, "1"));
    bob.got_nothing().await;
}

#[tokio::test]
async fn a_sign_in_needs_a_signature_for_this_connection_and_user() {
    let broker = broker();
    let (mut client, other) = (connect(&broker).await, connect(&broker).await);
    let user = r#"{"id":"ada"}"#;
    let sign = |id: &pusher_broker::SocketId, data: &str| {
        format!("app-key:{}", signer().sign(format!("{id}::user::{data}").as_bytes()))
    };
    let good = sign(&client.id, user);
    let signed = |data: &str| json!({"auth": sign(&client.id, data), "user_data": data});
    let long = json!({"id": "a".repeat(149)}).to_string();
    for data in [
        json!(null),
        json!(1),
        json!({}),
        json!({"auth": good}),
        json!({"user_data": user}),
        json!({"auth": 1, "user_data": user}),
        json!({"auth": "nonsense", "user_data": user}),
        json!({"auth": "other:00", "user_data": user}),
        json!({"auth": sign(&other.id, user), "user_data": user}),
        json!({"auth": good, "user_data": r#"{"id":"eve"}"#}),
        // A signature for a channel is not one for a sign-in.
        json!({"auth": client.auth("private-ada"), "user_data": user}),
        signed("{}"),
        signed(r#"{"id":1}"#),
        signed(r#"{"id":""}"#),
        signed(r#"{"id":"a b"}"#),
        signed(r#"{"id":"ada","watchlist":"bob"}"#),
        signed(&long),
    ] {
        client.send(json!({"event": "pusher:signin", "data": data})).await;
        let answer = client.next().await;
        assert_eq!(answer["event"], "pusher:error", "{data}");
        assert!(
            !answer.to_string().contains(good.strip_prefix("app-key:").unwrap()),
            "the error reveals the right signature"
        );
    }
    client.sign_in("ada").await;
}

#[tokio::test]
async fn a_connection_cannot_sign_in_as_a_second_user() {
    let mut client = connect(&broker()).await;
    client.sign_in("ada").await;
    client.sign_in("ada").await;
    let message = "Connection already associated with a different user id";
    assert_eq!(client.try_sign_in(r#"{"id":"bob"}"#).await, error(message, None));
    client.subscribe("#server-to-user-ada").await;
}

#[tokio::test(start_paused = true)]
async fn a_signed_in_client_without_subscriptions_is_not_closed() {
    let mut client = connect(&broker()).await;
    client.sign_in("ada").await;
    assert_eq!(client.next().await["event"], "pusher:ping");
}
