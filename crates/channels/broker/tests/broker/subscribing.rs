use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_private_channel_needs_an_authorization_and_a_public_one_does_not() {
    let mut client = connect(&broker()).await;
    client.subscribe("news").await;
    client.subscribe("private-ada").await;
}

#[tokio::test]
async fn a_subscription_may_carry_its_data_as_text() {
    let mut client = connect(&broker()).await;
    client.send(json!({"event": "pusher:subscribe", "data": r#"{"channel":"news"}"#})).await;
    assert_eq!(client.next().await["event"], "pusher_internal:subscription_succeeded");
}

#[tokio::test]
async fn a_key_may_contain_colons() {
    let signer = pusher_broker::Signer::new("app:key:1", "app-secret");
    let broker = pusher_broker::Broker::new("3", signer.clone());
    let mut client = establish(open(&broker, "/app/app:key:1?protocol=7&client=test&version=1").await).await;
    let authorize = |channel: &str, data: Option<&str>| {
        signer.authorize_channel(&client.id, &channel.parse().unwrap(), data).unwrap().auth
    };
    let (private, presence) =
        (authorize("private-ada", None), authorize("presence-room", Some(r#"{"user_id":"ada"}"#)));
    let (user, alone) = (r#"{"id":"ada"}"#, signer.sign(format!("{}:presence-own", client.id).as_bytes()));
    for (event, data, answer) in [
        (
            "subscribe",
            json!({"channel": "private-ada", "auth": private}),
            "pusher_internal:subscription_succeeded",
        ),
        (
            "subscribe",
            json!({"channel": "presence-room", "auth": presence, "channel_data": r#"{"user_id":"ada"}"#}),
            "pusher_internal:subscription_succeeded",
        ),
        (
            "signin",
            json!({"auth": signer.authenticate_user(&client.id, user).unwrap().auth, "user_data": user}),
            "pusher:signin_success",
        ),
        (
            "subscribe",
            json!({"channel": "presence-own", "auth": format!("app:key:1:{alone}")}),
            "pusher_internal:subscription_succeeded",
        ),
    ] {
        client.send(json!({"event": format!("pusher:{event}"), "data": data})).await;
        assert_eq!(client.next().await["event"], answer, "{data}");
    }
}

#[tokio::test]
async fn a_private_channel_rejects_a_client_without_authorization() {
    let broker = broker();
    let (mut client, other) = (connect(&broker).await, connect(&broker).await);
    let channel = "private-ada";
    let good = client.auth(channel);
    let signature = format!("Invalid signature: expected one by the app secret of {}:{channel}", client.id);
    let secret = pusher_broker::Signer::new("app-key", "other-secret");
    let forged = secret.authorize_channel(&client.id, &channel.parse().unwrap(), None).unwrap().auth;
    for (auth, message) in [
        ("", "Auth info required to subscribe to private-ada"),
        (
            "nonsense",
            "Auth value for subscription to private-ada is invalid: should be of format 'key:signature'",
        ),
        ("other:00", "Invalid key in subscription auth data: 'other'"),
        ("app-key:", &signature),
        (&forged, &signature),
        (&other.auth(channel), &signature),
        (&client.auth("private-eve"), &signature),
        (&format!("{good}0"), &signature),
    ] {
        let answer = client.try_subscribe(channel, auth).await;
        assert_eq!(answer, error(message, Some(channel)), "{auth}");
        let good = good.strip_prefix("app-key:").unwrap();
        assert!(!answer.to_string().contains(good), "the error reveals the right signature");
    }
    client.send(json!({"event": "pusher:subscribe", "data": {"channel": channel}})).await;
    assert_eq!(client.next().await, error("Auth info required to subscribe to private-ada", Some(channel)));
    assert_eq!(publish(&broker, channel, "e", ""), 0);
    client.subscribe(channel).await;
}

#[tokio::test]
async fn an_encrypted_channel_passes_its_data_on_unchanged() {
    let broker = broker();
    let mut client = connect(&broker).await;
    for channel in ["private-encrypted-a", "private-encrypted-cache-a"] {
        let auth = signer().sign(format!("{}:{channel}", client.id).as_bytes());
        let answer = client.try_subscribe(channel, &format!("app-key:{auth}")).await;
        assert_eq!(answer["event"], "pusher_internal:subscription_succeeded", "{answer}");
        if channel.contains("cache") {
            assert_eq!(client.next().await["event"], "pusher:cache_miss");
        }
        let sealed = r#"{"nonce":"bm9uY2U=","ciphertext":"no JSON within"}"#;
        publish(&broker, channel, "e", sealed);
        assert_eq!(client.next().await, event("e", channel, sealed));
    }
}

#[tokio::test]
async fn invalid_channel_names_are_rejected() {
    let mut client = connect(&broker()).await;
    for channel in ["", "a b", "a\n", "#other", "é", &"a".repeat(165)] {
        let answer = client.try_subscribe(channel, "").await;
        assert_eq!(answer["event"], "pusher:error", "{channel}");
        assert_eq!(answer["channel"], channel);
    }
    client.subscribe(&"a".repeat(164)).await;
}

#[tokio::test]
async fn malformed_subscription_data_is_rejected() {
    let mut client = connect(&broker()).await;
    for data in [json!(null), json!(1), json!([]), json!("news"), json!({}), json!({"channel": 1})] {
        for event in ["pusher:subscribe", "pusher:unsubscribe"] {
            client.send(json!({"event": event, "data": data})).await;
            assert_eq!(client.next().await["event"], "pusher:error", "{event} {data}");
        }
    }
    client.subscribe("news").await;
}

#[tokio::test]
async fn a_second_subscription_to_a_channel_is_rejected() {
    let mut client = connect(&broker()).await;
    client.subscribe("news").await;
    assert_eq!(
        client.try_subscribe("news", "").await,
        error("Existing subscription to channel news", Some("news"))
    );
}

#[tokio::test]
async fn unsubscribing_ends_the_events_and_is_not_confirmed() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    client.send(json!({"event": "pusher:unsubscribe", "data": {"channel": "news"}})).await;
    client.send(json!({"event": "pusher:unsubscribe", "data": {"channel": "news"}})).await;
    assert_eq!(
        client.next().await,
        error("No current subscription to channel news, or subscription in progress", Some("news"))
    );
    assert_eq!(publish(&broker, "news", "e", ""), 0);
    client.subscribe("news").await;
}

#[tokio::test]
async fn the_101st_subscription_of_a_connection_is_rejected_until_another_ends() {
    let mut client = connect(&broker()).await;
    for n in 0..100 {
        client.subscribe(&format!("news-{n}")).await;
    }
    let refused = client.try_subscribe("news-100", "").await;
    assert_eq!(refused["event"], "pusher:error");
    assert_eq!(refused["channel"], "news-100");
    client.send(json!({"event": "pusher:unsubscribe", "data": {"channel": "news-0"}})).await;
    client.subscribe("news-100").await;
}

#[tokio::test(start_paused = true)]
async fn too_many_subscriptions_within_ten_seconds_are_rejected_with_4301_and_the_connection_stays() {
    let broker = broker_with(|limits| (limits.subscribe_requests, limits.subscriptions) = (3, 3));
    let mut client = connect(&broker).await;
    for n in 0..3 {
        client.subscribe("news").await;
        if n < 2 {
            client.unsubscribe("news").await;
        }
    }
    let mut rejected = error("Subscription rejected due to rate limit", Some("sports"));
    rejected["data"]["code"] = json!(4301);
    assert_eq!(client.try_subscribe("sports", "").await, rejected);
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    client.unsubscribe("news").await;
    client.subscribe("sports").await;
}

#[tokio::test(start_paused = true)]
async fn a_reconnected_client_may_subscribe_to_all_its_channels_at_once() {
    let broker = broker_with(|limits| (limits.subscribe_requests, limits.subscriptions) = (3, 5));
    let mut client = connect(&broker).await;
    for n in 0..5 {
        client.subscribe(&format!("news-{n}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_a_connection_may_subscribe_500_times_in_ten_seconds() {
    let mut client = connect(&broker()).await;
    for round in 0..5 {
        for n in 0..100 {
            client.subscribe(&format!("news-{n}-{round}")).await;
            client.unsubscribe(&format!("news-{n}-{round}")).await;
        }
    }
    assert_eq!(client.try_subscribe("news", "").await["data"]["code"], 4301);
}
