use http_body_util::Full;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use crate::support::*;

const EVENTS: &str = "/apps/3/events";
const BATCH: &str = "/apps/3/batch_events";

fn valid() -> Value {
    json!({"name": "e", "channel": "news", "data": "{}"})
}

/// Returns a valid event with one key replaced.
fn with(key: &str, value: Value) -> Value {
    let mut event = valid();
    event[key] = value;
    event
}

fn without(key: &str) -> Value {
    let mut event = valid();
    event.as_object_mut().unwrap().remove(key);
    event
}

#[tokio::test]
async fn the_published_example_is_accepted() {
    // Pusher's HTTP API reference, "worked authentication example".
    let signer = pusher_broker::Signer::new("278d425bdf160c739803", "7ad3773142a6692b25b8");
    let broker = pusher_broker::Broker::builder("3", signer)
        .clock(|| std::time::Duration::from_secs(1_353_088_179))
        .build();
    let path = "/apps/3/events?body_md5=ec365a775a4cd0599faeb73354201b6f&auth_version=1.0\
        &auth_key=278d425bdf160c739803&auth_timestamp=1353088179\
        &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";
    let body = r#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
    assert_eq!(post_as_is(&broker, path, body).await, (StatusCode::OK, "{}".to_owned()));
}

#[tokio::test]
async fn a_malformed_event_is_rejected_with_400_and_a_text() {
    let broker = broker();
    let many: Vec<_> = (0..101).map(|n| format!("c{n}")).collect();
    for body in [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "[".repeat(20_000),
        format!(r#"{{"name":"e","channel":"news","data":{}"#, "[".repeat(20_000)),
        r#"{"name":"e","name":"e","channel":"news","data":"{}"}"#.to_owned(),
        without("name").to_string(),
        without("channel").to_string(),
        without("data").to_string(),
        with("data", json!({"n": 1})).to_string(),
        with("data", json!(null)).to_string(),
        with("name", json!("")).to_string(),
        with("name", json!("a".repeat(201))).to_string(),
        with("name", json!("pusher:ping")).to_string(),
        with("channel", json!("a b")).to_string(),
        with("channel", json!("")).to_string(),
        with("channel", json!("a".repeat(165))).to_string(),
        with("channels", json!(["other"])).to_string(),
        with("socket_id", json!("1:2")).to_string(),
        with("socket_id", json!("")).to_string(),
        with("info", json!(1)).to_string(),
        with("info", json!("cache")).to_string(),
        with("info", json!("ages")).to_string(),
        json!({"name": "e", "channels": [], "data": ""}).to_string(),
        json!({"name": "e", "channels": many, "data": ""}).to_string(),
        json!({"name": "e", "channels": ["a", "a b"], "data": ""}).to_string(),
        json!({"name": "e", "channels": "news", "data": ""}).to_string(),
    ] {
        let (status, text) = post(&broker, EVENTS, &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body:.100}");
        assert!(!text.is_empty() && text.len() < 400, "{body:.100}: {text}");
    }
    let body = json!({"name": "e", "channels": many[..100], "data": ""}).to_string();
    assert_eq!(post(&broker, EVENTS, &body).await.0, StatusCode::OK);
    assert_eq!(post(&broker, EVENTS, &with("unknown", json!(1)).to_string()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn one_invalid_event_rejects_the_whole_batch() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    let too_long = with("data", json!("a".repeat(10_241)));
    for (bad, status) in [
        (with("channel", json!("a b")), StatusCode::BAD_REQUEST),
        (without("data"), StatusCode::BAD_REQUEST),
        (json!({"name": "e", "channels": ["news"], "data": ""}), StatusCode::BAD_REQUEST),
        (too_long, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let body = json!({"batch": [valid(), bad]}).to_string();
        assert_eq!(post(&broker, BATCH, &body).await.0, status, "{bad:.100}");
    }
    let eleven = json!({"batch": vec![valid(); 11]}).to_string();
    assert_eq!(post(&broker, BATCH, &eleven).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(&broker, BATCH, "{}").await.0, StatusCode::BAD_REQUEST);
    let last = json!({"batch": [with("name", json!("last"))]}).to_string();
    assert_eq!(post(&broker, BATCH, &last).await.0, StatusCode::OK);
    assert_eq!(client.next().await["event"], "last");
}

#[tokio::test]
async fn data_over_10240_bytes_is_rejected_with_413() {
    let broker = broker();
    // The limit counts bytes of the data itself, not of its JSON.
    for (data, status) in [
        ("\"".repeat(10_240), StatusCode::OK),
        ("a".repeat(10_241), StatusCode::PAYLOAD_TOO_LARGE),
        ("é".repeat(5_121), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (got, text) = post(&broker, EVENTS, &with("data", json!(data)).to_string()).await;
        assert_eq!(got, status);
        assert_eq!(text.contains("10240 bytes"), status != StatusCode::OK, "{text}");
    }
}

#[tokio::test]
async fn a_full_batch_of_escaped_data_fits_and_a_longer_body_is_rejected_with_413() {
    let broker = broker();
    let event = json!({"name": "e".repeat(200), "channel": "c".repeat(164), "data": "\u{1}".repeat(10_240)});
    let body = json!({"batch": vec![event; 10]}).to_string();
    assert_eq!(post(&broker, BATCH, &body).await.0, StatusCode::OK);
    let body = "a".repeat(640 * 1024 + 1);
    assert_eq!(post(&broker, BATCH, &body).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_request_without_a_valid_signature_is_rejected_with_401_and_publishes_nothing() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    let body = valid().to_string();
    let good = signed(EVENTS, &body, NOW);
    let (_, query) = good.split_once('?').unwrap();
    let less = |name: &str| {
        let kept: Vec<_> = query.split('&').filter(|pair| !pair.starts_with(name)).collect();
        format!("{EVENTS}?{}", kept.join("&"))
    };
    let signature = good.rsplit_once('=').unwrap().1;
    for path in [
        EVENTS.to_owned(),
        less("auth_key"),
        less("auth_timestamp"),
        less("auth_version"),
        less("auth_signature"),
        less("body_md5"),
        format!("{good}&auth_signature={signature}"),
        format!("{good}&auth_key=app-key"),
        format!("{good}&extra=1"),
        good.replace("app-key", "other"),
        good.replace(signature, &"0".repeat(64)),
        good.replace(signature, "%00"),
        signed(EVENTS, &body, NOW - 600),
        signed(EVENTS, &body, NOW + 600),
        signed(EVENTS, "{}", NOW),
        signed(BATCH, &body, NOW).replace("batch_events", "events"),
    ] {
        let (status, text) = post_as_is(&broker, &path, &body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!text.is_empty() && !text.contains(signature), "{path}: {text}");
    }
    for now in [NOW - 599, NOW + 599] {
        assert_eq!(post_as_is(&broker, &signed(EVENTS, &body, now), &body).await.0, StatusCode::OK);
        assert_eq!(client.next().await["event"], "e");
    }
    let end = with("name", json!("end")).to_string();
    assert_eq!(post(&broker, EVENTS, &end).await.0, StatusCode::OK);
    assert_eq!(client.next().await["event"], "end");
}

#[tokio::test]
async fn another_app_gets_404_and_another_method_405() {
    let broker = broker();
    let body = valid().to_string();
    assert_eq!(post(&broker, "/apps/4/events", &body).await.0, StatusCode::NOT_FOUND);
    assert_eq!(post(&broker, "/apps/4/batch_events", &body).await.0, StatusCode::NOT_FOUND);
    let request = Request::get(EVENTS).body(Full::default()).unwrap();
    assert_eq!(send(&broker, request).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_in_time_is_rejected_with_408() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = stream(&broker());
    let path = signed(EVENTS, "{}", NOW);
    let head = format!("POST {path} HTTP/1.1\r\nhost: broker\r\ncontent-length: 2\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_signature_is_rejected_before_the_body_arrives() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let start = tokio::time::Instant::now();
    let forged = format!("{}0", signed(EVENTS, "{}", NOW));
    for path in [EVENTS, BATCH, &forged] {
        let mut stream = stream(&broker());
        let head = format!("POST {path} HTTP/1.1\r\nhost: broker\r\ncontent-length: 600000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 401");
    }
    assert_eq!(start.elapsed(), std::time::Duration::ZERO);
}

#[tokio::test]
async fn in_a_nested_router_the_signed_path_still_begins_at_apps() {
    let broker = broker();
    let nested = axum::Router::new().nest("/live", broker.router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, nested).await });
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let body = valid().to_string();
    let path = format!("/live{}", signed(EVENTS, &body, NOW));
    let request =
        Request::post(path).body(Full::<hyper::body::Bytes>::new(body.into_bytes().into())).unwrap();
    let response: hyper::Response<hyper::body::Incoming> = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    server.abort();
}

#[tokio::test]
async fn the_bodies_of_all_requests_are_bounded_together() {
    use tokio::io::AsyncWriteExt;
    let broker = broker_with(|limits| limits.buffered_bytes = 640 * 1024);
    let body = valid().to_string();
    assert_eq!(post(&broker, EVENTS, &body).await.0, StatusCode::OK);
    let mut unfinished = stream(&broker);
    let path = signed(EVENTS, "{}", NOW);
    let head = format!("POST {path} HTTP/1.1\r\nhost: broker\r\ncontent-length: {}\r\n\r\n", 640 * 1024);
    unfinished.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(post(&broker, EVENTS, &body).await.0, StatusCode::OK, "a declared length is not reserved");
    unfinished.write_all(&vec![b' '; 640 * 1024 - 1]).await.unwrap();
    while post(&broker, EVENTS, &body).await.0 == StatusCode::OK {
        tokio::task::yield_now().await;
    }
    assert_eq!(post(&broker, EVENTS, &body).await.0, StatusCode::SERVICE_UNAVAILABLE);
    drop(unfinished);
    while post(&broker, EVENTS, &body).await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn arrays_do_not_pass_for_events() {
    let broker = broker();
    let event = json!(["e", "{}", "news", null, null, null]);
    let bodies = [(EVENTS, event.clone()), (BATCH, json!({"batch": [event]})), (BATCH, json!([[valid()]]))];
    for (path, body) in bodies {
        assert_eq!(post(&broker, path, &body.to_string()).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
}
