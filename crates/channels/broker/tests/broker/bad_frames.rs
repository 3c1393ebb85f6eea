use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

#[tokio::test]
async fn a_malformed_frame_is_answered_with_an_error_and_the_connection_stays() {
    let mut client = connect(&broker()).await;
    let deep = "[".repeat(10_000);
    for frame in [
        Message::text("garbage"),
        Message::text(""),
        Message::text(r#"{"data":1}"#),
        Message::text(r#"{"event":1}"#),
        Message::text(r#"["pusher:ping",null,{},null]"#),
        Message::text(deep.clone()),
        Message::text(format!(r#"{{"event":"pusher:subscribe","data":{deep}"#)),
        Message::binary(b"{}".to_vec()),
    ] {
        client.send_raw(frame).await;
        let answer = client.next().await;
        assert_eq!(answer["event"], "pusher:error");
        assert_eq!(answer["data"]["code"], json!(null));
    }
    client.subscribe("news").await;
}

#[tokio::test]
async fn twenty_thousand_brackets_are_answered_with_an_error() {
    let broker = broker_with(|limits| limits.frame_bytes = 64 * 1024);
    let mut client = connect(&broker).await;
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    client.send_raw(Message::text(nested.clone())).await;
    assert_eq!(client.next().await["event"], "pusher:error");
    let frame = format!(r#"{{"event":"pusher:subscribe","data":{nested}}}"#);
    client.send_raw(Message::text(frame)).await;
    assert_eq!(client.next().await["event"], "pusher:error");
    client.subscribe("news").await;
}

#[tokio::test]
async fn too_many_bad_frames_close_the_connection() {
    for bad in [Message::text("garbage"), Message::binary(b"\0".to_vec())] {
        let broker = broker_with(|limits| limits.bad_frames = 3);
        let mut client = connect(&broker).await;
        for _ in 0..3 {
            client.send_raw(bad.clone()).await;
            assert_eq!(client.next().await["event"], "pusher:error");
        }
        client.send_raw(bad).await;
        assert_eq!(client.close_code().await, 1003);
    }
}

#[tokio::test]
async fn the_error_for_an_unknown_event_repeats_at_most_200_characters_of_it() {
    let mut client = connect(&broker()).await;
    client.send(json!({"event": "hello", "channel": "news", "data": {}})).await;
    assert_eq!(client.next().await, error("Unsupported event received on socket: hello", None));
    client.send(json!({"event": "é".repeat(5_000)})).await;
    let message = format!("Unsupported event received on socket: {}", "é".repeat(200));
    assert_eq!(client.next().await, error(&message, None));
    for event in ["pusher:signin", "pusher_internal:subscription_succeeded", "pusher:connection_established"]
    {
        client.send(json!({"event": event, "data": {}})).await;
        assert_eq!(client.next().await["event"], "pusher:error");
    }
}

#[tokio::test]
async fn client_events_are_rejected_by_default() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe("private-room").await;
    bob.subscribe("private-room").await;
    ada.send(json!({"event": "client-typing", "channel": "private-room", "data": {}})).await;
    let message =
        "To send client events, you must enable this feature in the Settings page of your dashboard.";
    assert_eq!(ada.next().await, error(message, Some("private-room")));
    publish(&broker, "private-room", "end", "");
    assert_eq!(bob.next().await["event"], "end");
}

#[tokio::test]
async fn an_oversized_message_closes_with_1009_even_in_fragments() {
    let mut client = connect(&broker()).await;
    client.send_raw(Message::text("a".repeat(16 * 1024))).await;
    assert_eq!(client.next().await["event"], "pusher:error");
    // The broker stops reading in the middle, so sending the rest may fail.
    let (mut ours, mut theirs) = futures_util::StreamExt::split(client.ws);
    let sending = tokio::spawn(async move {
        let _ = futures_util::SinkExt::send(&mut ours, Message::text("a".repeat(16 * 1024 + 1))).await;
        ours
    });
    let close = futures_util::StreamExt::next(&mut theirs).await;
    assert!(matches!(close, Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 1009));
    drop(sending);

    let mut client = connect(&broker()).await;
    // Twenty masked fragments of 1,000 bytes (RFC 6455, section 5.2), none of them the last.
    let mut fragments = Vec::new();
    for n in 0..20_u8 {
        fragments.extend([u8::from(n == 0), 0x80 | 126, 0x03, 0xe8, 0, 0, 0, 0]);
        fragments.extend([b'a'; 1_000]);
    }
    client.ws.get_mut().write_all(&fragments).await.unwrap();
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test]
async fn invalid_websocket_frames_close_the_connection() {
    let long_ping = [&b"\x89\xfe\x00\x80\0\0\0\0"[..], &[0; 128]].concat();
    for (bytes, code) in [
        (&b"\xf1\x80\0\0\0\0"[..], 1002),         // reserved bits
        (&b"\x81\x02{}"[..], 1002),               // not masked
        (&b"\x83\x80\0\0\0\0"[..], 1002),         // an unknown kind
        (&b"\x80\x80\0\0\0\0"[..], 1002),         // a continuation of nothing
        (&b"\x81\x82\0\0\0\0\xff\xfe"[..], 1007), // no UTF-8
        (&long_ping, 1002),
    ] {
        let broker = broker();
        let mut client = connect(&broker).await;
        client.ws.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(client.close_code().await, code, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_connection_cut_within_a_frame_is_removed() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    let stream = client.ws.get_mut();
    stream.write_all(b"\x81\xfe\x03").await.unwrap();
    stream.shutdown().await.unwrap();
    while futures_util::StreamExt::next(&mut client.ws).await.is_some_and(|message| message.is_ok()) {}
    assert_eq!(broker.connections(), 0);
}

#[tokio::test]
async fn arrays_do_not_pass_for_the_data_of_requests() {
    let mut client = connect(&broker()).await;
    client.subscribe("news").await;
    for (event, data) in [
        ("pusher:subscribe", json!(["other"])),
        ("pusher:unsubscribe", json!(["news"])),
        ("pusher:signin", json!(["auth", "user_data"])),
    ] {
        client.send(json!({"event": event, "data": data})).await;
        let answer = client.next().await;
        let message = answer["data"]["message"].as_str().unwrap();
        assert!(message.contains("data must be an object"), "{message}");
    }
}
