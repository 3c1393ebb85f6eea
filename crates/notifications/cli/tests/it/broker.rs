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
    let args = [&["broker", "--listen", "127.0.0.1:0"], args].concat();
    let mut process = command(&args, &APP).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
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
    let (process, line) = start(&["--client-events", "--webhook", &url]);
    let port = line.trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let client = Client::builder(KEY).host("127.0.0.1").port(port).tls(false);
    let authorizer = Arc::new(SigningAuthorizer::new(Signer::new(KEY, SECRET)));
    let client = client.authorizer(authorizer).connect().unwrap();
    let mut subscription = client.subscribe("private-ada").await.unwrap();
    assert_eq!(subscription.next().await, Some(ChannelEvent::Subscribed));
    subscription.trigger("client-typing", "{}").await.unwrap();

    let mut received = String::new();
    while !received.contains("client_event") {
        let (stream, _) = listener.accept().await.unwrap();
        let (key, signature, body) = receive(stream).await;
        Signer::new(KEY, SECRET).verify_webhook(Some(&key), Some(&signature), body.as_bytes()).unwrap();
        received.push_str(&body);
    }
    assert!(received.contains(r#""name":"channel_occupied","channel":"private-ada""#), "{received}");
    stop(process);
}

/// Receives one webhook. Returns its key, signature and body.
async fn receive(stream: tokio::net::TcpStream) -> (String, String, String) {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::io::BufReader::new(stream);
    let (mut key, mut signature, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match &*name.to_lowercase() {
            "x-pusher-key" => key = value.to_owned(),
            "x-pusher-signature" => signature = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(ok).await.unwrap();
    (key, signature, String::from_utf8(body).unwrap())
}

#[test]
fn the_error_names_a_wrong_webhook_url() {
    for url in ["ftp://app.example", "http://", "app.example"] {
        let ran = run(&["broker", "--listen", "127.0.0.1:0", "--webhook", url], &APP);
        assert!(ran.error(2).contains(url), "{}", ran.stderr);
    }
}
