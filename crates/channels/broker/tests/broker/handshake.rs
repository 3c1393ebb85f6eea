use http_body_util::Full;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn the_first_event_is_as_documented() {
    let broker = broker_with(|limits| limits.activity_timeout = std::time::Duration::from_secs(77));
    let mut client = connect_raw(&broker, APP).await;
    let frame = client.0;
    assert_eq!(frame["event"], "pusher:connection_established");
    let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
    assert_eq!(data["activity_timeout"], 77);
    assert!(data["socket_id"].as_str().unwrap().parse::<pusher_broker::SocketId>().is_ok());
    assert_eq!(broker.connections(), 1);
    client.1.close(None).await.unwrap();
}

async fn connect_raw(
    broker: &pusher_broker::Broker,
    path: &str,
) -> (Value, tokio_tungstenite::WebSocketStream<tokio::io::DuplexStream>) {
    use futures_util::StreamExt;
    let mut ws = open(broker, path).await;
    let text = ws.next().await.unwrap().unwrap().into_text().unwrap();
    (serde_json::from_str(&text).unwrap(), ws)
}

#[tokio::test]
async fn socket_ids_differ() {
    let broker = broker();
    let (one, other) = (connect(&broker).await, connect(&broker).await);
    assert_ne!(one.id, other.id);
}

#[tokio::test]
async fn an_unknown_key_gets_an_error_and_is_closed_with_4001() {
    let (frame, mut ws) = connect_raw(&broker(), "/app/other?protocol=7").await;
    assert_eq!((&frame["event"], &frame["data"]["code"]), (&json!("pusher:error"), &json!(4001)));
    assert_eq!(close_code(&mut ws).await, 4001);
}

#[tokio::test]
async fn protocols_5_to_7_and_a_missing_version_are_accepted_and_others_closed_with_4007() {
    for query in ["?protocol=5", "?protocol=6", "?client=js&protocol=7&version=8", "?version=1", ""] {
        establish(open(&broker(), &format!("/app/app-key{query}")).await).await;
    }
    for query in ["?protocol=4", "?protocol=8", "?protocol=", "?protocol=seven"] {
        let (frame, mut ws) = connect_raw(&broker(), &format!("/app/app-key{query}")).await;
        assert_eq!(frame["data"]["code"], 4007, "{query}");
        assert_eq!(close_code(&mut ws).await, 4007, "{query}");
    }
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_closed_with_4100_until_there_is_room() {
    let broker = broker_with(|limits| limits.connections = 1);
    let mut first = connect(&broker).await;
    let (frame, mut ws) = connect_raw(&broker, APP).await;
    assert_eq!(frame["data"]["code"], 4100);
    assert_eq!(close_code(&mut ws).await, 4100);
    drop(ws);
    first.ws.close(None).await.unwrap();
    while futures_util::StreamExt::next(&mut first.ws).await.is_some() {}
    drop(first);
    // Both connections' tasks may still be ending.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    connect(&broker).await;
}

#[tokio::test(start_paused = true)]
async fn the_number_of_rejected_connections_is_bounded_too_and_all_are_counted() {
    let broker = broker_with(|limits| limits.connections = 0);
    let mut refused = Vec::new();
    for _ in 0..64 {
        refused.push(open(&broker, APP).await);
    }
    let url = format!("ws://broker{APP}");
    let answer = tokio_tungstenite::client_async(url, stream(&broker)).await.unwrap_err();
    assert!(answer.to_string().contains("503"), "{answer}");
    for ws in &mut refused {
        assert_eq!(close_code(ws).await, 4100);
    }
    assert_eq!(broker.metrics().turned_away, 65);
}

#[tokio::test]
async fn invalid_websocket_handshakes_are_rejected() {
    let good = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (bad, value, status) in [
        ("connection", "keep-alive", StatusCode::UPGRADE_REQUIRED),
        ("upgrade", "h2c", StatusCode::UPGRADE_REQUIRED),
        ("sec-websocket-version", "8", StatusCode::UPGRADE_REQUIRED),
        ("sec-websocket-key", "short", StatusCode::BAD_REQUEST),
        ("sec-websocket-key", "", StatusCode::BAD_REQUEST),
        ("none", "", StatusCode::SWITCHING_PROTOCOLS),
    ] {
        let mut request = Request::get(APP).body(Full::default()).unwrap();
        for (name, good) in good {
            let value = if name == bad { value } else { good };
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let mut sender = http_client(&broker()).await;
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{bad}: {value}");
        if status == StatusCode::SWITCHING_PROTOCOLS {
            // RFC 6455, section 1.3.
            assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        }
    }
}

#[tokio::test]
async fn a_plain_request_is_rejected_with_426() {
    let request = Request::get(APP).body(Full::default()).unwrap();
    let (status, text) = send(&broker(), request).await;
    assert_eq!(status, StatusCode::UPGRADE_REQUIRED);
    assert!(text.contains("WebSocket"), "{text}");
}

#[tokio::test]
async fn an_offered_subprotocol_of_channels_is_chosen() {
    for (offered, chosen) in [
        (None, None),
        (Some("chat"), None),
        (Some("chat, pusher-channels-protocol-7"), Some("pusher-channels-protocol-7")),
    ] {
        let mut request = Request::get(APP)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        if let Some(offered) = offered {
            request = request.header("sec-websocket-protocol", offered);
        }
        let mut sender = http_client(&broker()).await;
        let response = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        let header = response.headers().get("sec-websocket-protocol");
        assert_eq!(header.map(|value| value.to_str().unwrap()), chosen, "{offered:?}");
    }
}
