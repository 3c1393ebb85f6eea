use std::time::Duration;

use futures_util::SinkExt;
use pusher_client::protocol::ProtocolEvent;
use pusher_client::{Backoff, ConnectionState};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::scripted_server::{Net, socket_id, state};

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_pinged_and_then_replaced_at_once() {
    let net = Net::new();
    let _client = net.client().connect().unwrap();
    let mut silent = net.establish(1).await;
    let start = Instant::now();
    assert_eq!(silent.read().await.0, "pusher:ping");
    assert_eq!(start.elapsed(), Duration::from_secs(120));
    let _peer = net.establish(2).await;
    assert_eq!(start.elapsed(), Duration::from_secs(150));
}

#[tokio::test(start_paused = true)]
async fn the_smaller_activity_timeout_applies() {
    for (configured, servers, effective) in [(60, 20, 20), (60, 3_600, 60), (60, 0, 60), (60, u64::MAX, 60)] {
        let net = Net::new();
        let _client = net.client().activity_timeout(Duration::from_secs(configured)).connect().unwrap();
        let mut peer = net.accept().await;
        let socket_id = socket_id(1);
        peer.send(ProtocolEvent::ConnectionEstablished { socket_id: &socket_id, activity_timeout: servers })
            .await;
        let start = Instant::now();
        assert_eq!(peer.read().await.0, "pusher:ping");
        assert_eq!(start.elapsed(), Duration::from_secs(effective));
    }
}

#[tokio::test(start_paused = true)]
async fn any_frame_postpones_the_ping() {
    let net = Net::new();
    let _client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    for frame in [
        Message::text("garbage"),
        Message::text(r#"{"event":"pusher:pong"}"#),
        Message::Ping(Vec::new().into()),
        Message::Pong(Vec::new().into()),
    ] {
        assert_eq!(next_text(&mut peer.0).await, r#"{"event":"pusher:ping","data":{}}"#);
        sleep(Duration::from_secs(29)).await;
        peer.0.send(frame).await.unwrap();
    }
    assert_eq!(net.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn both_kinds_of_ping_are_answered() {
    let net = Net::new();
    let _client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    let start = Instant::now();
    peer.send(ProtocolEvent::Ping).await;
    assert_eq!(peer.read().await.0, "pusher:pong");
    peer.0.send(Message::Ping(b"abc".to_vec().into())).await.unwrap();
    assert_eq!(peer.message().await, Some(Message::Pong(b"abc".to_vec().into())));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn ping_now_finds_a_dead_connection_within_the_pong_timeout() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut dead = net.establish(1).await;
    client.connected().await.unwrap();
    let start = Instant::now();
    client.ping_now().await.unwrap();
    client.ping_now().await.unwrap();
    assert_eq!(dead.read().await.0, "pusher:ping");
    assert_eq!(start.elapsed(), Duration::ZERO);
    let _peer = net.establish(2).await;
    assert_eq!(start.elapsed(), Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn ping_now_changes_nothing_if_answered() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    client.connected().await.unwrap();
    client.ping_now().await.unwrap();
    assert_eq!(peer.read().await.0, "pusher:ping");
    peer.send(ProtocolEvent::Pong).await;
    let start = Instant::now();
    assert_eq!(peer.read().await.0, "pusher:ping");
    assert_eq!(start.elapsed(), Duration::from_secs(120));
    assert_eq!(net.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn ping_now_ends_the_wait_for_the_next_attempt() {
    let net = Net::new();
    let hour = Duration::from_secs(3_600);
    let client = net.client().backoff(Backoff::new(hour, hour)).connect().unwrap();
    net.establish(1).await.close(4100).await;
    state(&client, |state| matches!(state, ConnectionState::Reconnecting { .. })).await;
    let start = Instant::now();
    client.ping_now().await.unwrap();
    let _peer = net.establish(2).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

async fn next_text<E>(socket: &mut (impl futures_util::Stream<Item = Result<Message, E>> + Unpin)) -> String
where
    E: std::fmt::Debug,
{
    use futures_util::StreamExt;
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return text.as_str().to_owned();
        }
    }
}
