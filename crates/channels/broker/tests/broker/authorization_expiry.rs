use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use pusher_broker::Broker;
use serde_json::json;
use tokio::time::{Instant, advance, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// Records an authorization, as an auth endpoint does before it answers.
fn authorize(broker: &Broker, client: &Client, channel: &str, seconds: u64) {
    broker.record_authorization(&client.id, &channel.parse().unwrap(), Some(Duration::from_secs(seconds)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_with_4200_when_its_authorization_expires() {
    let broker = broker();
    for sign_in in [false, true] {
        let mut client = connect(&broker).await;
        let start = Instant::now();
        let channel = if sign_in { "#server-to-user-ada" } else { "private-ada" };
        for time in [60, 90] {
            authorize(&broker, &client, channel, time);
        }
        match sign_in {
            true => client.sign_in("ada").await,
            false => client.subscribe("private-ada").await,
        }
        assert_eq!(client.close_code().await, 4200);
        assert_eq!(start.elapsed().as_secs(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_that_was_not_used_closes_nothing() {
    let broker = broker();
    let mut client = connect(&broker).await;
    authorize(&broker, &client, "private-ada", 60);
    authorize(&broker, &client, "news", u64::MAX);
    broker.record_authorization(&"1.1".parse().unwrap(), &"news".parse().unwrap(), Some(Duration::MAX));
    client.subscribe("news").await;
    let start = Instant::now();
    assert_eq!(client.next().await["event"], "pusher:ping");
    assert_eq!(start.elapsed().as_secs(), 130);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_with_an_expired_authorization_is_not_confirmed() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    authorize(&broker, &client, "private-ada", 1);
    advance(Duration::from_secs(2)).await;
    let data = json!({"channel": "private-ada", "auth": client.auth("private-ada")});
    client.send(json!({"event": "pusher:subscribe", "data": data})).await;
    match client.ws.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4200),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_sign_in_uses_the_newest_authorization() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.sign_in("ada").await;
    authorize(&broker, &client, "#server-to-user-ada", 60);
    client.sign_in("ada").await;
    let start = Instant::now();
    assert_eq!(client.close_code().await, 4200);
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn an_authorization_for_another_users_connection_only_affects_the_requesters_channel() {
    let broker = broker();
    let mut client = connect(&broker).await;
    authorize(&broker, &client, "private-ada", 90);
    authorize(&broker, &client, "private-eve", 1);
    authorize(&broker, &client, "#server-to-user-eve", 1);
    client.subscribe("private-ada").await;
    client.sign_in("ada").await;
    let start = Instant::now();
    assert_eq!(client.close_code().await, 4200);
    assert_eq!(start.elapsed().as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_frames_does_not_postpone_a_close() {
    let broker = broker();
    for (subscribes, code, end) in [(true, 4200, 10), (false, 4009, 30)] {
        let stream = stream_with_buffer(&broker, 1 << 20);
        let ws = tokio_tungstenite::client_async(format!("ws://broker{APP}"), stream).await.unwrap().0;
        let mut client = establish(ws).await;
        let start = Instant::now();
        if subscribes {
            authorize(&broker, &client, "private-ada", end);
            client.subscribe("private-ada").await;
        }
        // Enough frames that the broker finds one to read whenever it runs.
        for _ in 0..20_000 {
            client.ws.feed(Message::text(r#"{"event":"pusher:ping"}"#)).await.unwrap();
        }
        client.ws.flush().await.unwrap();
        let closed = 'closed: loop {
            advance(Duration::from_secs(1)).await;
            while let Some(message) = client.ws.next().now_or_never() {
                if let Some(Ok(Message::Close(frame))) = message {
                    break 'closed frame.map(|frame| u16::from(frame.code));
                }
            }
        };
        assert_eq!(closed, Some(code));
        assert!(start.elapsed().as_secs() <= end + 1, "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_does_not_postpone_a_close() {
    let broker = broker();
    let mut client = connect(&broker).await;
    authorize(&broker, &client, "private-ada", 50);
    client.subscribe("private-ada").await;
    for _ in 0..100 {
        publish(&broker, "private-ada", "e", &"a".repeat(10_000));
    }
    let start = Instant::now();
    let mut code = 0;
    while code == 0 {
        sleep(Duration::from_secs(20)).await;
        match client.ws.next().await {
            Some(Ok(Message::Text(_))) => {}
            // The broker may also cut the connection off without a close frame.
            Some(Ok(Message::Close(Some(frame)))) => code = frame.code.into(),
            _ => break,
        }
    }
    assert!(start.elapsed().as_secs() <= 60, "{:?}", start.elapsed());
    assert_eq!(broker.connections(), 0);
}
