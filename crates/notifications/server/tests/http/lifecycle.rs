use std::time::Duration;

use internal_notifications_server::{ErrorKind, Server, TokenIssuer};
use reqwest::Method;
use serde_json::json;

use crate::app::{API_KEY, TestApp, config, send};
use crate::raw::{Raw, status};
use crate::websocket::Socket;

#[tokio::test]
async fn a_restart_keeps_credentials_and_inboxes() {
    let app = TestApp::start().await;
    assert!(app.server.has_generated_secret());
    app.fill("ada", 2).await;
    let token = app.token("ada");
    let before = app.get("ada", "/v1/realtime").await.body;
    let app = app.restart().await;
    assert_eq!(app.get("ada", "/v1/realtime").await.body, before, "clients keep their key");
    let inbox = send(app.request(Method::GET, "/v1/inbox").bearer_auth(&token)).await;
    assert_eq!((inbox.status, inbox.ids()), (200, vec!["n2", "n1"]));
}

#[tokio::test]
async fn the_stored_secret_signs_tokens_while_the_server_runs() {
    let app = TestApp::start().await;
    let issuer = TokenIssuer::find(&config(&app.folder)).await.unwrap();
    let token = issuer.mint(&"eve".parse().unwrap(), jiff::Timestamp::now(), Duration::from_secs(60), false);
    assert_eq!(send(app.request(Method::GET, "/v1/inbox/head").bearer_auth(token)).await.status, 200);
    let nowhere = config(&tempfile::tempdir().unwrap());
    assert_eq!(TokenIssuer::find(&nowhere).await.unwrap_err().kind(), ErrorKind::NoSecret);
}

#[tokio::test]
async fn a_second_server_on_the_same_database_does_not_start() {
    let app = TestApp::start().await;
    let error = Server::start(config(&app.folder)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store, "{error}");
}

#[tokio::test]
async fn a_taken_address_is_an_error_and_releases_the_database() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut taken = config(&folder);
    taken.listen = app.server.local_addr();
    let error = Server::start(taken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen, "{error}");
    Server::start(config(&folder)).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_server_beyond_loopback_requires_authentication() {
    let folder = tempfile::tempdir().unwrap();
    let mut open = config(&folder);
    open.listen = "0.0.0.0:0".parse().unwrap();
    open.auth.api_keys.clear();
    assert_eq!(Server::start(open).await.unwrap_err().kind(), ErrorKind::Configuration);
    let mut keyed = config(&folder);
    keyed.listen = "0.0.0.0:0".parse().unwrap();
    let server = Server::start(keyed).await.unwrap();
    assert!(
        server.token(&"ada".parse().unwrap(), Duration::from_secs(60), true).is_none(),
        "no token secret is generated beyond loopback"
    );
    server.shutdown().await;
}

#[tokio::test]
async fn shutting_down_finishes_what_was_acknowledged() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    let pushes = (0..50).map(|index| app.push(&["ada"], json!({"id": format!("n{index}"), "content": "c"})));
    let answers = futures_util::future::join_all(pushes).await;
    let acknowledged = answers.iter().filter(|answer| answer.status == 201).count();
    let TestApp { server, folder, .. } = app;
    server.shutdown().await;
    for seq in 1..=acknowledged {
        let (_, data) = socket.next().await;
        assert_eq!(data["inbox"]["seq"], seq, "stored changes are published before the sockets close");
    }
    assert_eq!(socket.close_code().await, 4200);
    let app = TestApp::start_in(folder, |_| {}).await;
    assert_eq!(app.get("ada", "/v1/inbox?limit=200").await.ids().len(), acknowledged);
}

#[tokio::test]
async fn a_dropped_server_closes_its_sockets() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    drop(app);
    assert_eq!(socket.close_code().await, 4200);
}

#[tokio::test]
async fn a_running_request_is_finished_and_no_further_one_starts() {
    let app = TestApp::start().await;
    let body = json!({"user_ids": ["ada"], "notification": {"id": "late", "content": "c"}}).to_string();
    let (begun, rest) = body.split_at(20);
    let head = format!(
        "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {API_KEY}\r\ncontent-length: {}\r\n\r\n{begun}",
        body.len()
    );
    let mut raw = Raw::connect(&app).await;
    raw.write(head.as_bytes()).await;
    // This request was accepted after the unfinished one, so that one is running by now.
    assert_eq!(app.get("ada", "/health/live").await.status, 200);
    let address = app.server.local_addr();
    let TestApp { server, folder, .. } = app;
    let shutdown = tokio::spawn(server.shutdown());
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    raw.write(rest.as_bytes()).await;
    let answer = raw.read_to_end().await;
    assert_eq!(status(&answer), 201, "{answer}");
    shutdown.await.unwrap();
    let app = TestApp::start_in(folder, |_| {}).await;
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), ["late"]);
}
