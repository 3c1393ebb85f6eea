use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed_while_others_receive_everything() {
    let broker = broker_with(|limits| limits.send_queue = 8);
    let (mut slow, mut quick) = (connect(&broker).await, connect(&broker).await);
    slow.subscribe("news").await;
    quick.subscribe("news").await;
    let start = Instant::now();
    for n in 0..100 {
        let data = format!("{n}{}", ".".repeat(1_000));
        publish(&broker, "news", "e", &data);
        assert_eq!(quick.next().await["data"], data);
    }
    assert_eq!(broker.connections(), 1);
    assert_eq!(start.elapsed(), Duration::ZERO);
    // Frames in flight still arrive, then the close reason.
    let mut received = Vec::new();
    let code = loop {
        match slow.ws.next().await {
            Some(Ok(Message::Text(text))) => received.push(text),
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 4100);
    assert!(received.len() < 20, "{}", received.len());
    assert!(received.last().unwrap().contains(r#""code":4100"#));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_for_30_seconds_is_closed_even_if_its_queue_is_not_full() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    publish(&broker, "news", "e", &"a".repeat(10_000));
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(broker.connections(), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(broker.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_without_reading_the_pongs_is_closed() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    let pinging = async { while client.ws.send(Message::Ping(vec![0; 125].into())).await.is_ok() {} };
    // Unread pongs must not pile up: the broker stops reading.
    tokio::time::timeout(Duration::from_secs(40), pinging).await.unwrap();
    assert_eq!(broker.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_without_reading_the_answers_is_closed() {
    let broker = broker_with(|limits| limits.send_queue = 8);
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    let ping = Message::text(json!({"event": "pusher:ping", "data": "a".repeat(100)}).to_string());
    let asking = async { while client.ws.send(ping.clone()).await.is_ok() {} };
    // The broker stops reading when it cannot write, so the sender is cut off in the end.
    tokio::time::timeout(Duration::from_secs(40), asking).await.unwrap();
    assert_eq!(broker.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_each_frame_in_time_stays_however_many_wait() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    // Each is longer than the stream's buffer.
    for n in 0..5 {
        publish(&broker, "news", "e", &format!("{n}{}", ".".repeat(10_000)));
    }
    for n in 0..5 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(client.next().await["data"].as_str().unwrap().starts_with(&n.to_string()));
    }
    assert_eq!(broker.connections(), 1);
}
