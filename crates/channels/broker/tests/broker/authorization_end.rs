use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use pusher_broker::Broker;
use serde_json::json;
use tokio::time::{Instant, advance, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// As an auth endpoint does before it answers.
fn authorize(broker: &Broker, client: &Client, channel: &str, seconds: u64) {
    broker.record_authorization(&client.id, &channel.parse().unwrap(), Some(Duration::from_secs(seconds)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_with_4200_when_what_it_was_authorized_by_has_expired() {
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
async fn what_was_not_used_ends_nothing() {
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
async fn a_subscription_that_comes_after_the_end_is_not_even_confirmed() {
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
async fn a_sign_in_again_takes_up_what_was_signed_since() {
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
async fn whoever_asks_for_anothers_connection_shortens_its_own_channel_only() {
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
async fn no_flood_of_frames_puts_an_end_off() {
    let broker = broker();
    for (subscribes, code, end) in [(true, 4200, 10), (false, 4009, 30)] {
        let stream = stream_of(&broker, 1 << 20);
        let ws = tokio_tungstenite::client_async(format!("ws://broker{APP}"), stream).await.unwrap().0;
        let mut client = establish(ws).await;
        let start = Instant::now();
        if subscribes {
            authorize(&broker, &client, "private-ada", end);
            client.subscribe("private-ada").await;
        }
        // So many that the broker finds some to read whenever it runs.
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
async fn a_client_that_takes_little_at_a_time_stays_no_longer() {
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
            // Cut off where it did not read on.
            Some(Ok(Message::Close(Some(frame)))) => code = frame.code.into(),
            _ => break,
        }
    }
    assert!(start.elapsed().as_secs() <= 60, "{:?}", start.elapsed());
    assert_eq!(broker.connections(), 0);
}
