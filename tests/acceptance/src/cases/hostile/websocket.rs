use crate::support::server::{APP_KEY, Server, TIMEOUT, token};
use crate::support::target::{Target, brackets, request, with_headers};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A WebSocket to the broker, with its socket id.
struct Socket {
    stream: WebSocketStream<TcpStream>,
    id: String,
}

/// The events until the connection ended, and its close code if there was a close frame.
struct Ended {
    events: Vec<Value>,
    code: Option<u16>,
}

impl Socket {
    async fn dial(server: &Server, path: &str) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let url = format!("ws://{}{path}", server.address);
        let (stream, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Self { stream, id: String::new() }
    }

    async fn open(server: &Server) -> Self {
        let mut socket = Self::dial(server, &format!("/app/{APP_KEY}?protocol=7")).await;
        let established = socket.event().await;
        assert_eq!(established["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(established["data"].as_str().unwrap()).unwrap();
        data["socket_id"].as_str().unwrap().clone_into(&mut socket.id);
        socket
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(TIMEOUT, self.stream.next()).await.expect("a frame in time")
    }

    async fn event(&mut self) -> Value {
        match self.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(text.as_str()).unwrap(),
            other => panic!("no event: {other:?}"),
        }
    }

    async fn send(&mut self, event: &Value) {
        self.stream.send(Message::text(event.to_string())).await.unwrap();
    }

    /// Writes raw bytes below the WebSocket layer. The broker may hang up before it has read all.
    async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes).await;
    }

    /// Sends a ping, and returns the events before its pong.
    async fn until_pong(&mut self) -> Vec<Value> {
        self.send(&json!({"event": "pusher:ping", "data": {}})).await;
        let mut events = Vec::new();
        loop {
            match self.event().await {
                event if event["event"] == "pusher:pong" => return events,
                event => events.push(event),
            }
        }
    }

    async fn ended(mut self) -> Ended {
        let mut ended = Ended { events: Vec::new(), code: None };
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => {
                    ended.events.push(serde_json::from_str(text.as_str()).unwrap())
                }
                Some(Ok(Message::Close(frame))) => ended.code = frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return ended,
            }
        }
    }
}

/// Encodes a frame with the mask 0.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(payload.len()) {
        Ok(length @ ..126) => vec![0x80 | length],
        _ => [&[0x80 | 126], u16::try_from(payload.len()).unwrap().to_be_bytes().as_slice()].concat(),
    };
    [&[first], length.as_slice(), &[0; 4], payload].concat()
}

const TEXT: u8 = 0x81;

#[tokio::test(flavor = "multi_thread")]
async fn invalid_handshakes_are_rejected() {
    let mut target = Target::start().await;
    for (path, code) in [
        ("/app/another-key?protocol=7", 4001),
        ("/app/%00?protocol=7", 4001),
        ("/app/acceptance-app-key?protocol=4", 4007),
        ("/app/acceptance-app-key?protocol=99999999999999999999", 4007),
    ] {
        let ended = Socket::dial(&target.server, path).await.ended().await;
        let first_event = ended.events.first().map(|event| event["event"].clone());
        let right = ended.code == Some(code) && first_event == Some(json!("pusher:error"));
        target.check(path, (!right).then(|| format!("{:?} {:?}", ended.code, ended.events)));
    }
    let path = format!("/app/{APP_KEY}?protocol=7");
    let all = [
        ("host", "localhost"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (left_out, status) in
        [("connection", 426), ("upgrade", 426), ("sec-websocket-version", 426), ("sec-websocket-key", 400)]
    {
        let headers: Vec<_> = all.into_iter().filter(|(name, _)| *name != left_out).collect();
        target.expect_plain(left_out, status, with_headers("GET", &path, &headers, "")).await;
        let wrong: Vec<_> =
            all.into_iter().map(|(name, value)| (name, if name == left_out { "1" } else { value })).collect();
        target
            .expect_plain(&format!("another {left_out}"), status, with_headers("GET", &path, &wrong, ""))
            .await;
    }
    target.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_frames_close_only_their_own_connection() {
    let mut target = Target::start().await;
    let long = u64::MAX.to_be_bytes();
    let part = frame(0x00, &[b'x'; 8_000]);
    let cases: Vec<(&str, Vec<u8>, Option<u16>)> = vec![
        ("an oversized text", frame(TEXT, &[b'x'; 17_000]), Some(1009)),
        ("20,000 brackets", frame(TEXT, brackets(20_000).as_bytes()), Some(1009)),
        ("an oversized binary", frame(0x82, &[0; 60_000]), Some(1009)),
        ("a text without end", [&frame(0x01, b"x"), &*part, &part, &part].concat(), Some(1009)),
        ("8 EiB announced", [&[TEXT, 0xff, 0x7f], &long[1..], &[0; 4]].concat(), Some(1009)),
        ("16 EiB announced", [&[TEXT, 0xff], long.as_slice(), &[0; 4]].concat(), Some(1009)),
        ("no UTF-8", frame(TEXT, b"\xff\xfe"), Some(1007)),
        ("no mask", [&[TEXT, 2], b"{}".as_slice()].concat(), Some(1002)),
        ("a reserved opcode", frame(0x83, b"{}"), Some(1002)),
        ("a reserved bit", frame(0xc1, b"{}"), Some(1002)),
        ("a continuation of nothing", frame(0x80, b"{}"), Some(1002)),
        ("a text within a text", [frame(0x01, b"{"), frame(TEXT, b"}")].concat(), Some(1002)),
        ("a ping in parts", frame(0x09, b"x"), Some(1002)),
        ("a ping that is too long", frame(0x89, &[b'x'; 126]), Some(1002)),
        ("a close of one byte", frame(0x88, b"x"), Some(1002)),
        ("HTTP", b"GET /v1/inbox HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), Some(1002)),
    ];
    for (what, bytes, code) in cases {
        let mut socket = Socket::open(&target.server).await;
        socket.raw(&bytes).await;
        let ended = socket.ended().await;
        target.check(
            what,
            (ended.code != code).then(|| format!("{:?} instead of {code:?}: {:?}", ended.code, ended.events)),
        );
    }
    for cut in [1, 2, 5, 7] {
        let mut socket = Socket::open(&target.server).await;
        socket.raw(&frame(TEXT, b"{\"event\":\"pusher:ping\"}")[..cut]).await;
        socket.stream.get_mut().shutdown().await.unwrap();
        let ended = socket.ended().await;
        target.check("a truncated frame", (!ended.events.is_empty()).then(|| format!("{:?}", ended.events)));
    }
    let mut socket = Socket::open(&target.server).await;
    for _ in 0..11 {
        socket.raw(&frame(0x82, &[0, 159, 146, 150])).await;
    }
    let ended = socket.ended().await;
    let right = ended.code == Some(1003) && ended.events.iter().all(|event| event["event"] == "pusher:error");
    target.check("eleven binary frames", (!right).then(|| format!("{:?} {:?}", ended.code, ended.events)));
    target.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forbidden_events_are_answered_with_an_error_and_nothing_else() {
    let mut target = Target::start().await;
    let auth = async |socket: &str, target: &Target| {
        let body = json!({"socket_id": socket, "channel_name": "private-ada"}).to_string();
        let answer = target.answer(request("POST", "/pusher/auth", &target.ada, body)).await.unwrap();
        answer.with(200)["auth"].as_str().unwrap().to_owned()
    };
    let mut mallory = Socket::open(&target.server).await;
    let own = auth(&mallory.id, &target).await;
    let others = auth("1.1", &target).await;
    let subscribe = |channel: &Value, auth: &Value| json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}});
    let (key, signature) = own.split_once(':').unwrap();
    let refused_auths = [
        json!(null),
        json!(""),
        json!(":"),
        json!(1),
        json!([own]),
        json!("x"),
        json!(signature),
        json!(format!("{key}:")),
        json!(format!("{key}:{}", "0".repeat(64))),
        json!(format!("other:{signature}")),
        json!(format!("{key}:{signature}0")),
        json!(format!("{key}:{}", &signature[..32])),
        json!(others),
        json!(token("ada", &[])),
    ];
    let mut frames: Vec<Value> =
        refused_auths.iter().map(|auth| subscribe(&json!("private-ada"), auth)).collect();
    for channel in [
        json!("private-carol"),
        json!("private-ad"),
        json!("private-Ada"),
        json!("presence-ada"),
        json!("private-encrypted-ada"),
        json!("private-ada "),
        json!(""),
        json!(null),
        json!(1),
        json!(["private-ada"]),
        json!({"a": 1}),
        json!("#server-to-user-carol"),
        json!("a\0"),
        json!("c".repeat(165)),
    ] {
        frames.push(subscribe(&channel, &json!(own)));
    }
    let forged = json!({"id": "forged", "content": "c", "inbox": {"seq": 99, "tag": "0123456789abcdef", "pending": 99}}).to_string();
    for event in [
        "client-internal-notification",
        "internal-notification",
        "internal-notifications-changed",
        "pusher_internal:subscription_succeeded",
        "pusher:connection_established",
        "pusher:error",
        "pusher:signin",
        "",
        "\0",
    ] {
        frames.push(json!({"event": event, "channel": "private-ada", "data": forged}));
    }
    frames.extend(["pusher:subscribe", "pusher:unsubscribe"].map(|event| json!({"event": event})));
    frames.extend([
        json!({"event": "pusher:subscribe", "data": "private-ada"}),
        json!({"event": "pusher:subscribe", "data": "{"}),
    ]);
    frames.push(json!({"event": "pusher:unsubscribe", "data": {"channel": "private-carol"}}));
    for frame in frames {
        mallory.send(&frame).await;
        let events = mallory.until_pong().await;
        let right = events.len() == 1 && events[0]["event"] == "pusher:error";
        target.check(&frame.to_string(), (!right).then(|| format!("{events:?}")));
    }
    let mut reader = Socket::open(&target.server).await;
    for text in [
        "",
        "{",
        "null",
        "[]",
        "1",
        "{}",
        r#"{"event":1}"#,
        "\0",
        &brackets(7_000),
        &r#"{"a":"#.repeat(3_000),
    ] {
        reader.stream.send(Message::text(text)).await.unwrap();
        let events = reader.until_pong().await;
        let right = events.len() == 1 && events[0]["event"] == "pusher:error";
        target.check(&format!("{:.30}", text), (!right).then(|| format!("{events:?}")));
    }
    // Rejected subscriptions had no effect, and a subscriber may still not send events.
    mallory.send(&subscribe(&json!("private-ada"), &json!(own))).await;
    assert_eq!(mallory.until_pong().await[0]["event"], "pusher_internal:subscription_succeeded");
    mallory
        .send(&json!({"event": "client-internal-notification", "channel": "private-ada", "data": forged}))
        .await;
    assert_eq!(mallory.until_pong().await[0]["event"], "pusher:error");
    let carols = json!({"id": "carols", "content": "for carol alone"});
    assert!(target.server.backend().push(&["carol"], &carols).await.unwrap());
    let mut carol = crate::support::tail::Tail::start("carol", &target.server.url());
    carol.live().await;
    for socket in [&mut mallory, &mut reader] {
        assert_eq!(socket.until_pong().await, Vec::<Value>::new());
    }
    target.assert_unharmed().await;
}
