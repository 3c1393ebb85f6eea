use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;

use pusher_client::{
    BatchEvent, ChannelEvent, Client, ErrorKind, HttpApi, Signer, SigningAuthorizer, Trigger,
};

use crate::command_runner::{command, run};
use crate::server::terminate;

const KEY: &str = "app-key";
const SECRET: &str = "app-secret-of-the-test";
const APP: [(&str, &str); 3] =
    [("PUSHER_APP_ID", "17"), ("PUSHER_APP_KEY", KEY), ("PUSHER_APP_SECRET", SECRET)];

/// Starts a broker. Returns the process and the line with its address.
fn start(args: &[&str]) -> (Child, String) {
    start_with(args, &[])
}

fn start_with(args: &[&str], env: &[(&str, &str)]) -> (Child, String) {
    let args = [&["broker", "--listen", "127.0.0.1:0"], args].concat();
    let mut process =
        command(&args, &[&APP, env].concat()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (process, line)
}

fn stop(mut process: Child) {
    terminate(&process);
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn the_error_names_a_missing_credential() {
    for (missing, _) in APP {
        let env: Vec<_> = APP.into_iter().filter(|(name, _)| *name != missing).collect();
        let ran = run(&["broker", "--listen", "127.0.0.1:0"], &env);
        assert!(ran.error(2).contains(&format!("{missing} is not set")));
        ran.does_not_show(SECRET);
    }
    let env = [("PUSHER_APP_ID", "1/7"), APP[1], APP[2]];
    assert!(run(&["broker", "--listen", "127.0.0.1:0"], &env).error(2).contains("PUSHER_APP_ID"));
}

#[test]
fn an_address_in_use_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(run(&["broker", "--listen", &address], &APP).error(1).contains(&address));
}

#[test]
fn it_prints_its_address_as_text_or_json() {
    let (process, line) = start(&[]);
    stop(process);
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    let (process, line) = start(&["--json"]);
    stop(process);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["type"], "listening");
    assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
}

#[tokio::test]
async fn single_and_batch_events_reach_subscribers_and_a_wrong_secret_is_rejected() {
    let (process, line) = start(&[]);
    let port = line.trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let signer = Signer::new(KEY, SECRET);
    let client = Client::builder(KEY).host("127.0.0.1").port(port).tls(false);
    let client = client.authorizer(Arc::new(SigningAuthorizer::new(signer.clone()))).connect().unwrap();
    let mut subscription = client.subscribe("private-ada").await.unwrap();
    assert_eq!(subscription.next().await, Some(ChannelEvent::Subscribed));

    let api =
        |signer| HttpApi::builder("17", signer).host("127.0.0.1").port(port).tls(false).build().unwrap();
    api(signer.clone()).trigger(&Trigger::new(["private-ada"], "news", "one").unwrap()).await.unwrap();
    let batch = ["two", "three"].map(|data| BatchEvent::new("private-ada", "news", data).unwrap());
    api(signer).trigger_batch(&batch).await.unwrap();
    for data in ["one", "two", "three"] {
        let Some(ChannelEvent::Event(event)) = subscription.next().await else { panic!("{data}") };
        assert_eq!((event.name(), event.data()), ("news", data));
    }
    let stranger = api(Signer::new(KEY, "another secret"));
    let refused = stranger.trigger(&Trigger::new(["private-ada"], "news", "x").unwrap()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthorized);
    stop(process);
}

#[tokio::test]
async fn client_events_are_sent_to_the_webhook() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    // The same destination as an option, for everything, and in the environment with a filter.
    let filtered = serde_json::json!([{
        "url": &url,
        "event_types": ["client_event"],
        "filter": {"channel_name_starts_with": "private-"},
        "headers": {"X-Name": "filtered"},
    }]);
    let webhooks = [("INTERNAL_NOTIFICATIONS_WEBHOOKS", &*filtered.to_string())];
    let (process, line) = start_with(&["--client-events", "--webhook", &url], &webhooks);
    let port = line.trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let client = Client::builder(KEY).host("127.0.0.1").port(port).tls(false);
    let authorizer = Arc::new(SigningAuthorizer::new(Signer::new(KEY, SECRET)));
    let client = client.authorizer(authorizer).connect().unwrap();
    let mut subscription = client.subscribe("private-ada").await.unwrap();
    assert_eq!(subscription.next().await, Some(ChannelEvent::Subscribed));
    subscription.trigger("client-typing", "{}").await.unwrap();

    let (mut received, mut filtered) = (String::new(), String::new());
    while !(received.contains("client_event") && filtered.contains("client_event")) {
        let (stream, _) = listener.accept().await.unwrap();
        let (headers, body) = receive(stream).await;
        let header = |name| headers.get(name).map(String::as_str);
        let (key, signature) = (header("x-pusher-key"), header("x-pusher-signature"));
        Signer::new(KEY, SECRET).verify_webhook(key, signature, body.as_bytes()).unwrap();
        match header("x-name") {
            Some("filtered") => filtered.push_str(&body),
            _ => received.push_str(&body),
        }
    }
    assert!(received.contains(r#""name":"channel_occupied","channel":"private-ada""#), "{received}");
    assert!(!filtered.contains("channel_occupied"), "{filtered}");
    stop(process);
}

/// Receives one webhook. Returns its headers and its body.
async fn receive(stream: tokio::net::TcpStream) -> (HashMap<String, String>, String) {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::io::BufReader::new(stream);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(ok).await.unwrap();
    (headers, String::from_utf8(body).unwrap())
}

#[test]
fn the_error_names_a_wrong_webhook_url() {
    for url in ["ftp://app.example", "http://", "app.example"] {
        let ran = run(&["broker", "--listen", "127.0.0.1:0", "--webhook", url], &APP);
        assert!(ran.error(2).contains(url), "{}", ran.stderr);
    }
}

#[test]
fn the_error_of_a_malformed_webhook_shows_no_header() {
    let webhook =
        r#"{"url": "http://app.example", "headers": {"Authorization": "hunter2"}, "event_types": [1]}"#;
    let ran = run(&["broker", "--listen", "127.0.0.1:0", "--webhook", webhook], &APP);
    assert!(ran.error(2).contains("malformed"), "{}", ran.stderr);
    ran.does_not_show("hunter2");
}

#[tokio::test]
async fn it_shows_its_health_and_its_metrics() {
    let (process, line) = start(&["--subscription-counts"]);
    let port: u16 = line.trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let get = async |path: &str| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    };
    assert!(get("/health").await.ends_with(r#"{"status":"live"}"#));
    let client = Client::builder(KEY).host("127.0.0.1").port(port).tls(false).connect().unwrap();
    let mut subscription = client.subscribe("news").await.unwrap();
    assert_eq!(subscription.next().await, Some(ChannelEvent::Subscribed));
    assert_eq!(subscription.next().await, Some(ChannelEvent::SubscriptionCount(1)));
    let metrics = get("/metrics").await;
    for line in [
        "internal_notifications_broker_connections 1",
        "internal_notifications_broker_channels 1",
        "internal_notifications_broker_messages_in_total 1",
        "internal_notifications_broker_messages_out_total 3",
        "internal_notifications_broker_slow_readers_total 0",
        "internal_notifications_broker_webhook_events_dropped_total 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    stop(process);
}

#[tokio::test]
async fn its_limits_come_from_the_environment_and_from_options() {
    let variable = [("INTERNAL_NOTIFICATIONS_BROKER_LIMITS", "subscriptions=1,connections=1")];
    let (process, line) = start_with(&["--limits", "subscriptions=2"], &variable);
    let port = line.trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let client = Client::builder(KEY).host("127.0.0.1").port(port).tls(false).connect().unwrap();
    let mut subscriptions = Vec::new();
    for channel in ["a", "b"] {
        let mut subscription = client.subscribe(channel).await.unwrap();
        assert_eq!(subscription.next().await, Some(ChannelEvent::Subscribed), "{channel}");
        subscriptions.push(subscription);
    }
    let mut third = client.subscribe("c").await.unwrap();
    assert!(!matches!(third.next().await, Some(ChannelEvent::Subscribed)));
    stop(process);
    for limits in ["sockets=1", "connections=0"] {
        let ran = run(&["broker", "--listen", "127.0.0.1:0", "--limits", limits], &APP);
        let error = ran.error(2);
        assert!(error.contains("--limits") && error.contains("connection"), "{error}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_and_full_addresses_are_turned_away() {
    let variables = [
        ("INTERNAL_NOTIFICATIONS_BROKER_ORIGINS", "https://app.example"),
        ("INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES", "10.0.0.0/8"),
    ];
    let options = [
        "--allowed-origin",
        "*.dev.example",
        "--trusted-proxy",
        "127.0.0.1",
        "--limits",
        "connections_per_address=1",
    ];
    let (process, line) = start_with(&options, &variables);
    let port: u16 = line.trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let open = |origin: &'static str, forwarded_for: &'static str| first_event(port, origin, forwarded_for);
    let established = "pusher:connection_established";
    let (one, _open) = open("https://app.example", "192.0.2.1").await;
    assert!(one.contains(established), "{one}");
    let (full, _) = open("https://app.example", "192.0.2.1, 10.0.0.1").await;
    assert!(full.contains(r#""code":4100"#), "{full}");
    let (other, _open) = open("http://a.dev.example:3000", "192.0.2.2").await;
    assert!(other.contains(established), "{other}");
    let (refused, _) = open("https://evil.example", "192.0.2.3").await;
    assert!(refused.contains(r#""code":4009"#), "{refused}");
    stop(process);

    for (option, value) in [("--allowed-origin", "https://a.example/x"), ("--trusted-proxy", "0.0.0.0/0")] {
        let ran = run(&["broker", "--listen", "127.0.0.1:0", option, value], &APP);
        let error = ran.error(2);
        assert!(error.contains(option) && error.contains(value), "{error}");
    }
}

/// Opens a WebSocket. Returns the text up to its first event, and the connection.
async fn first_event(port: u16, origin: &str, forwarded_for: &str) -> (String, tokio::net::TcpStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "GET /app/{KEY}?protocol=7 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Origin: {origin}\r\nX-Forwarded-For: {forwarded_for}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains("}") {
        assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0);
    }
    (String::from_utf8_lossy(&received).into_owned(), stream)
}
