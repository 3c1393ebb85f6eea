use std::time::Duration;

use internal_notifications_service::models::UserId;
use internal_notifications_testkit::server::TestServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// The status and body of a response, or none if there was no response.
type Answer = Option<(u16, String)>;

async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap()
}

async fn exchange(stream: &mut TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

async fn send(url: &str, head: &str, bearer: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {bearer}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    exchange(&mut connect(url).await, &request).await
}

async fn push(server: &TestServer, user: &UserId, content: &str) {
    let body = format!(r#"{{"user_ids":["{user}"],"notification":{{"content":"{content}"}}}}"#);
    let pushed = send(&server.base_url(), "POST /v1/notifications", server.api_key(), &body).await;
    assert_eq!(pushed.unwrap().0, 201);
}

/// Fetches the contents in the user's inbox, newest first.
async fn inbox(url: &str, token: &str) -> Option<Vec<String>> {
    let (status, body) = send(url, "GET /v1/inbox", token, "").await?;
    assert_eq!(status, 200, "{body}");
    let page: internal_notifications_service::models::InboxPage = serde_json::from_str(&body).unwrap();
    Some(page.notifications.into_iter().map(|row| row.content).collect())
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn its_futures_are_send() {
    let server = tokio::spawn(TestServer::start()).await.unwrap().unwrap();
    let started = tokio::spawn(TestServer::start_with(|config| config.limits.shutdown_timeout *= 2));
    let backup = is_send(server.backup()).await.unwrap();
    is_send(server.restore(&backup)).await.unwrap();
    is_send(server.restart()).await.unwrap();
    is_send(server.proxy()).await.unwrap();
    started.await.unwrap().unwrap();
}

#[tokio::test]
async fn inboxes_survive_a_restart_and_a_backup_restores_them() {
    let server = TestServer::start().await.unwrap();
    let (url, token) = (server.base_url(), server.token(&ada()));
    push(&server, &ada(), "first").await;
    let backup = server.backup().await.unwrap();
    push(&server, &ada(), "second").await;
    server.restart().await.unwrap();
    assert_eq!(inbox(&url, &token).await.unwrap(), ["second", "first"]);
    server.restore(&backup).await.unwrap();
    assert_eq!(inbox(&url, &token).await.unwrap(), ["first"]);
    push(&server, &ada(), "third").await;
    server.restore(&backup).await.unwrap();
    assert_eq!(inbox(&url, &token).await.unwrap(), ["first"]);
    assert_eq!(server.base_url(), url);
}

#[tokio::test]
async fn a_proxy_is_cut_and_mended_without_affecting_another() {
    let server = TestServer::start().await.unwrap();
    let token = server.token(&ada());
    let (one, other) = (server.proxy().await.unwrap(), server.proxy().await.unwrap());
    let mut open = connect(&one.url()).await;
    open.write_all(b"GET /v1/inbox HTTP/1.1\r\n").await.unwrap();
    assert_eq!(inbox(&one.url(), &token).await, Some(vec![]));

    one.cut().await;
    let broken = exchange(&mut open, "host: localhost\r\n\r\n").await;
    assert_eq!(broken, None, "an open connection has ended");
    assert_eq!(send(&one.url(), "GET /v1/inbox", &token, "").await, None);
    assert_eq!(inbox(&other.url(), &token).await, Some(vec![]));
    one.cut().await;
    one.mend();
    one.mend();
    assert_eq!(inbox(&one.url(), &token).await, Some(vec![]));
}

#[tokio::test]
async fn a_proxy_survives_a_restart_of_the_server() {
    let server = TestServer::start().await.unwrap();
    let proxy = server.proxy().await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(inbox(&proxy.url(), &server.token(&ada())).await, Some(vec![]));
}

#[tokio::test]
async fn a_slow_proxy_delays_everything_and_loses_nothing() {
    let server = TestServer::start().await.unwrap();
    let (proxy, token) = (server.proxy().await.unwrap(), server.token(&ada()));
    push(&server, &ada(), &"x".repeat(20_000)).await;
    let wait = Duration::from_millis(20);
    proxy.slow(wait);
    let before = Instant::now();
    let slow = inbox(&proxy.url(), &token).await.unwrap();
    // The request is one chunk and the response at least five.
    assert!(before.elapsed() >= wait * 6, "{:?}", before.elapsed());
    assert_eq!(slow[0].len(), 20_000);
    proxy.slow(Duration::from_secs(3600));
    proxy.mend();
    assert_eq!(inbox(&proxy.url(), &token).await.unwrap(), slow);
}

#[tokio::test]
async fn tokens_identify_the_user_and_the_permission_to_push() {
    let server = TestServer::start().await.unwrap();
    let url = server.base_url();
    let bob = UserId::new("bob").unwrap();
    let body = r#"{"user_ids":["bob"],"notification":{"content":"hello"}}"#;
    let status = async |token: &str| send(&url, "POST /v1/notifications", token, body).await.unwrap().0;
    assert_eq!(status(&server.token(&ada())).await, 201);
    assert_eq!(inbox(&url, &server.token(&bob)).await.unwrap(), ["hello"]);
    assert_eq!(inbox(&url, &server.token(&ada())).await.unwrap(), [""; 0]);
    assert_eq!(status(&server.token_with(&ada(), Duration::from_secs(60), false)).await, 403);
    assert_eq!(status("no token").await, 401);
}

#[tokio::test]
async fn a_configuration_without_a_secret_is_refused() {
    let started = TestServer::start_with(|config| config.auth.jwt = None).await;
    let message = started.unwrap_err().to_string();
    assert_eq!(message, "a test server has no secret to sign tokens with");
}

#[tokio::test]
async fn debug_output_contains_no_secret() {
    let server = TestServer::start().await.unwrap();
    let proxy = server.proxy().await.unwrap();
    let shown = format!("{server:?} {proxy:?}");
    assert!(!shown.contains("secret-of") && !shown.contains(server.api_key()), "{shown}");
}
