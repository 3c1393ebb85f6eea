use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use pusher_client::protocol::ProtocolEvent;
use pusher_client::{ChannelEvent, Client, ConnectionState, ErrorKind};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::scripted_server::{LONG, Net, next, next_data, socket_id, state};

fn is_failed(state: &ConnectionState) -> bool {
    matches!(state, ConnectionState::Failed { .. })
}

fn is_reconnecting(state: &ConnectionState) -> bool {
    matches!(state, ConnectionState::Reconnecting { .. })
}

#[tokio::test(start_paused = true)]
async fn the_handshake_provides_the_socket_id() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    assert_eq!(client.state(), ConnectionState::Connecting);
    let _peer = net.establish(1).await;
    assert_eq!(client.connected().await.unwrap(), socket_id(1));
    assert_eq!(client.state(), ConnectionState::Connected { socket_id: socket_id(1) });
}

#[tokio::test(start_paused = true)]
async fn a_built_client_connects_only_on_request() {
    let net = Net::new();
    let client = net.client().build().unwrap();
    assert_eq!(client.state(), ConnectionState::Initialized);
    assert_eq!(client.connected().await.unwrap_err().kind(), ErrorKind::Closed);
    sleep(LONG).await;
    assert_eq!(net.attempts(), 0);
    client.connect().await.unwrap();
    let _peer = net.establish(1).await;
    client.connected().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_permanent_refusal_is_reported_everywhere_and_not_retried() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut news = client.subscribe("news").await.unwrap();
    net.accept().await.close(4001).await;
    let ConnectionState::Failed { reason } = state(&client, is_failed).await else { panic!() };
    assert_eq!((reason.kind(), reason.code()), (ErrorKind::Refused, Some(4001)));
    assert_eq!(next(&mut news).await, ChannelEvent::Refused(reason.clone()));
    assert!(news.next().await.is_none());
    assert_eq!(client.subscribe("other").await.unwrap_err(), reason);
    assert_eq!(client.connected().await.unwrap_err(), reason);
    sleep(LONG).await;
    assert_eq!(net.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_refusal_is_not_among_the_errors_that_end_nothing() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut errors = client.errors();
    net.accept().await.close(4001).await;
    state(&client, is_failed).await;
    assert!(errors.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_connects_again_on_request() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    net.accept().await.close(4004).await;
    state(&client, is_failed).await;
    client.connect().await.unwrap();
    let mut peer = net.establish(2).await;
    let mut news = client.subscribe("news").await.unwrap();
    peer.expect_subscribe("news").await;
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn an_error_instead_of_the_handshake_counts_as_a_close_with_its_code() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut peer = net.accept().await;
    peer.refuse(Some(4001), "App key app-key not in this cluster", None).await;
    let ConnectionState::Failed { reason } = state(&client, is_failed).await else { panic!() };
    assert_eq!(reason.code(), Some(4001));
    assert!(reason.to_string().contains("not in this cluster"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn after_a_4200_the_client_reconnects_with_jitter_and_backoff_until_a_connection_has_lasted() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let peer = net.establish(1).await;

    let soon = Duration::from_millis(500);
    let start = Instant::now();
    peer.close(4200).await;
    let peer = net.establish(2).await;
    assert!(start.elapsed() <= soon && start.elapsed() > Duration::ZERO, "{:?}", start.elapsed());

    peer.close(4200).await;
    let waiting = state(&client, is_reconnecting).await;
    assert!(
        matches!(waiting, ConnectionState::Reconnecting { attempt: 2, delay, .. } if delay > Duration::ZERO)
    );
    let peer = net.establish(3).await;
    client.connected().await.unwrap();

    sleep(Duration::from_secs(5)).await;
    let start = Instant::now();
    peer.close(4200).await;
    let _peer = net.establish(4).await;
    assert!(start.elapsed() <= soon, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn after_a_4100_the_client_waits_at_least_a_second() {
    let net = Net::new();
    let _client = net.client().connect().unwrap();
    let start = Instant::now();
    net.accept().await.close(4100).await;
    let _peer = net.accept().await;
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn an_error_and_the_close_that_it_announces_count_once() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut errors = client.errors();
    let mut peer = net.establish(1).await;
    peer.refuse(Some(4200), "going down", None).await;
    peer.close(4200).await;
    let peer = net.establish(2).await;
    assert_eq!(errors.next().await.unwrap().code(), Some(4200));
    // The client reconnected after the first 4200. If that had counted twice, the next
    // attempt would be the third.
    peer.close(4200).await;
    let waiting = state(&client, is_reconnecting).await;
    assert!(matches!(waiting, ConnectionState::Reconnecting { attempt: 2, .. }), "{waiting:?}");
    let _peer = net.establish(3).await;
    assert_eq!(net.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_announced_code_explains_a_close_without_one() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    peer.refuse(Some(4003), "The app is disabled", None).await;
    drop(peer);
    let ConnectionState::Failed { reason } = state(&client, is_failed).await else { panic!() };
    assert_eq!(reason.code(), Some(4003));
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_for_missing_authorization_is_retried() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    peer.refuse(Some(4009), "Connection not authorized within timeout", None).await;
    peer.close(4009).await;
    state(&client, is_reconnecting).await;
    let _peer = net.establish(2).await;
    client.connected().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_error_followed_by_other_messages_announces_no_close() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    peer.refuse(Some(4009), "Connection is unauthorized", None).await;
    peer.expect_nothing().await;
    drop(peer);
    state(&client, is_reconnecting).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_long_before_a_silent_loss_announced_no_close() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut errors = client.errors();
    let mut peer = net.establish(1).await;
    peer.refuse(Some(4003), "The app is disabled", None).await;
    assert_eq!(errors.next().await.unwrap().code(), Some(4003));
    sleep(Duration::from_secs(5)).await;
    drop(peer);
    let lost = state(&client, is_reconnecting).await;
    assert_eq!(lost.reason().unwrap().code(), None);
    let _peer = net.establish(2).await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_times_out() {
    for (upgraded, step) in [(false, "the upgrade to WebSocket"), (true, "the Channels handshake")] {
        let net = Net::new();
        let client = net.client().connect().unwrap();
        let mut errors = client.errors();
        let start = Instant::now();
        let _hanging: Box<dyn std::any::Any> = match upgraded {
            false => Box::new(net.accept_raw().await),
            true => Box::new(net.accept().await.0),
        };
        let _peer = net.establish(1).await;
        assert!(start.elapsed() >= Duration::from_secs(10));
        let late = errors.next().await.unwrap();
        assert_eq!(late.kind(), ErrorKind::Timeout);
        assert!(late.to_string().contains(step), "{late}");
        client.connected().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_some_time_without_a_connection_the_state_is_unavailable() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let start = Instant::now();
    let failing = async {
        loop {
            drop(net.accept_raw().await);
        }
    };
    tokio::select! {
        () = failing => {}
        _ = state(&client, |state| matches!(state, ConnectionState::Unavailable { .. })) => {}
    }
    assert!(start.elapsed() >= Duration::from_secs(10));
    let _peer = net.establish(1).await;
    client.connected().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn malformed_messages_are_ignored() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.confirmed(&client, "news").await;
    let nested = "[".repeat(20_000);
    for garbage in [
        "",
        "x",
        "null",
        "[]",
        "{",
        r#"{"event":1}"#,
        r#"{"event":"news"}"#,
        r#"{"event":"news","channel":7}"#,
        r#"{"event":"pusher:error"}"#,
        r#"{"event":"pusher:error","data":[]}"#,
        r#"{"event":"pusher:subscription_error","channel":"é"}"#,
        r#"{"event":"pusher_internal:subscription_succeeded","channel":"no such channel"}"#,
        &nested,
    ] {
        peer.text(garbage).await;
    }
    peer.0.send(Message::binary(vec![0_u8, 159, 146, 150])).await.unwrap();
    peer.publish("news", "n", "still here").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    assert_eq!(next_data(&mut news).await, "still here");
    assert_eq!(net.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_replaces_the_connection() {
    let net = Net::new();
    let client = net.client().max_message_size(64 * 1024).connect().unwrap();
    let mut peer = net.establish(1).await;
    client.connected().await.unwrap();
    let large = Message::text("x".repeat(64 * 1024 + 1));
    let (_sent, closed) = tokio::join!(peer.0.feed(large), net.establish(2));
    drop(closed);
}

#[tokio::test(start_paused = true)]
async fn broken_websocket_frames_replace_the_connection() {
    let net = Net::new();
    let _client = net.client().connect().unwrap();
    let peer = net.establish(1).await;
    let mut raw = peer.0.into_inner();
    raw.write_all(&[0xff; 64]).await.unwrap();
    let _peer = net.establish(2).await;
}

#[tokio::test(start_paused = true)]
async fn disconnecting_is_immediate_and_keeps_the_subscriptions() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.subscribed(&client, "news").await;

    let start = Instant::now();
    client.disconnect().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(client.state(), ConnectionState::Disconnected);
    assert!(matches!(peer.message().await, Some(Message::Close(Some(_)))));
    assert_eq!(next(&mut news).await, ChannelEvent::Interrupted);
    sleep(LONG).await;
    assert_eq!(net.attempts(), 1);

    client.connect().await.unwrap();
    let mut peer = net.establish(2).await;
    peer.expect_subscribe("news").await;
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn commands_are_served_while_waiting_for_the_next_attempt() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let old = client.subscribe("old").await.unwrap();
    net.accept().await.close(4100).await;
    state(&client, is_reconnecting).await;

    let start = Instant::now();
    drop(old);
    let _news = client.subscribe("news").await.unwrap();
    client.connect().await.unwrap();
    let mut peer = net.establish(1).await;
    peer.expect_subscribe("news").await;
    peer.expect_nothing().await;
    assert_eq!(start.elapsed(), Duration::ZERO, "connect did not end the wait");

    peer.close(4100).await;
    state(&client, is_reconnecting).await;
    client.disconnect().await.unwrap();
    assert_eq!((client.state(), start.elapsed()), (ConnectionState::Disconnected, Duration::ZERO));
    sleep(LONG).await;
    assert_eq!(net.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_replaced() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut peer = net.establish(1).await;
    client.connected().await.unwrap();
    // Send pings without reading the answers.
    let flood = async {
        for _ in 0..10_000 {
            if peer.0.send(Message::text(r#"{"event":"pusher:ping"}"#)).await.is_err() {
                return;
            }
        }
        panic!("the client still accepts pings");
    };
    tokio::join!(flood, state(&client, is_reconnecting));
}

#[tokio::test]
async fn the_default_connector_is_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = Client::builder("app-key").host("127.0.0.1").port(port).tls(false).connect().unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let socket_id = socket_id(1);
    let greeting = ProtocolEvent::ConnectionEstablished { socket_id: &socket_id, activity_timeout: 120 };
    socket.send(Message::text(greeting.encode())).await.unwrap();
    assert_eq!(client.connected().await.unwrap(), socket_id);
}

#[test]
fn without_a_runtime_building_fails() {
    let error = Client::builder("app-key").cluster("eu").connect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_malformed_configuration_is_rejected() {
    for builder in [
        Client::builder("app-key"),
        Client::builder("").cluster("eu"),
        Client::builder("a/b").cluster("eu"),
        Client::builder("app-key").host("a/b"),
        Client::builder("app-key").host("a").path_prefix("x?y"),
    ] {
        assert_eq!(builder.connect().unwrap_err().kind(), ErrorKind::Configuration);
    }
}
