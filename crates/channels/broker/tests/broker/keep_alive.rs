use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn pings_of_both_kinds_are_answered() {
    let mut client = connect(&broker()).await;
    for data in [json!({}), json!(""), json!(null)] {
        client.send(json!({"event": "pusher:ping", "data": data})).await;
        assert_eq!(client.next().await, json!({"event": "pusher:pong", "data": {}}));
    }
    client.send(json!({"event": "pusher:ping"})).await;
    assert_eq!(client.next().await["event"], "pusher:pong");
    client.send_raw(Message::Ping(b"hello".to_vec().into())).await;
    assert!(matches!(client.ws.next().await, Some(Ok(Message::Pong(data))) if *data == *b"hello"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_pinged_and_then_closed_with_4201() {
    let mut client = connect(&broker()).await;
    client.subscribe("news").await;
    let start = Instant::now();
    assert_eq!(client.next().await["event"], "pusher:ping");
    assert_eq!(start.elapsed().as_secs(), 130);
    let error = client.next().await;
    assert_eq!(error["data"], json!({"code": 4201, "message": "Pong reply not received"}));
    assert_eq!(start.elapsed().as_secs(), 160);
    assert_eq!(client.close_code().await, 4201);
}

#[tokio::test(start_paused = true)]
async fn any_frame_keeps_a_connection_alive() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    for sign in [
        Message::text(r#"{"event":"pusher:pong","data":{}}"#),
        Message::Pong(Default::default()),
        Message::text(r#"{"event":"pusher:pong"}"#),
    ] {
        assert_eq!(client.next().await["event"], "pusher:ping");
        client.send_raw(sign).await;
    }
    let start = Instant::now();
    assert_eq!(client.next().await["event"], "pusher:ping");
    assert_eq!(start.elapsed().as_secs(), 130);
}

#[tokio::test(start_paused = true)]
async fn pings_are_sent_in_time_even_if_the_pong_timeout_exceeds_the_activity_timeout() {
    let broker = broker_with(|limits| {
        limits.activity_timeout = Duration::from_secs(5);
        limits.activity_margin = Duration::ZERO;
    });
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(client.next().await["event"], "pusher:ping");
        assert_eq!(start.elapsed().as_secs(), 5);
        client.send(json!({"event": "pusher:pong"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_subscribed_is_closed_with_4009() {
    let mut client = connect(&broker()).await;
    let start = Instant::now();
    assert_eq!(client.try_subscribe("private-ada", "app-key:00").await["event"], "pusher:error");
    let error = client.next().await;
    assert_eq!(error["data"], json!({"code": 4009, "message": "Connection not authorized within timeout"}));
    assert_eq!(client.close_code().await, 4009);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_unsubscribed_again_is_not_closed() {
    let mut client = connect(&broker()).await;
    client.subscribe("news").await;
    client.send(json!({"event": "pusher:unsubscribe", "data": {"channel": "news"}})).await;
    assert_eq!(client.next().await["event"], "pusher:ping");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_a_close_frame_is_cut_off() {
    let broker = broker();
    let mut client = connect(&broker).await;
    let stream = client.ws.get_mut();
    // 30 s without a subscription, 2 s for the closing handshake.
    tokio::time::sleep(Duration::from_secs(33)).await;
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(stream, &mut rest).await.unwrap();
    assert_eq!(broker.connections(), 0);
    assert!(client.ws.send(Message::text("late")).await.is_err());
}
