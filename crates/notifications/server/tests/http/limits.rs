use std::time::Duration;

use axum::body::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use internal_notifications_server::Limits;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tracing::Level;

use crate::app::{API_KEY, TestApp, send};
use crate::log::Log;
use crate::raw::{Raw, ask, status};

const SHORT: Duration = Duration::from_millis(200);

fn unfinished_push() -> String {
    format!(
        "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {API_KEY}\r\ncontent-length: 100\r\n\r\n{{"
    )
}

#[tokio::test]
async fn a_body_that_is_too_large_gets_an_answer() {
    let app = TestApp::start().await;
    let answer = app.push_body("x".repeat(2 * 1024 * 1024 + 1)).await;
    assert_eq!(answer.problem(), (413, "too-large"));
    let answer = app.push_body("x".repeat(6 * 1024 * 1024)).await;
    assert_eq!(answer.problem(), (413, "too-large"));
    // The same for a body without a declared length.
    let chunk = || Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(&[b' '; 64 * 1024])));
    let chunks = StreamBody::new(futures_util::stream::iter((0..40).map(move |_| chunk())));
    assert_eq!(app.push_body(reqwest::Body::wrap(chunks)).await.problem(), (413, "too-large"));
    let waiting = app.request(Method::POST, "/v1/inbox/opened").bearer_auth(app.token("ada"));
    let waiting = waiting.header("expect", "100-continue").body("x".repeat(3 * 1024 * 1024));
    assert_eq!(send(waiting).await.problem(), (413, "too-large"));
    assert_eq!(app.push(&["ada"], json!({"content": "c"})).await.status, 201);
}

#[tokio::test]
async fn a_head_that_is_too_large_gets_an_answer() {
    let app = TestApp::start().await;
    let request =
        format!("GET /health/live HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&ask(&app, &request).await), 431);
    let many = "x: y\r\n".repeat(200);
    assert_eq!(status(&ask(&app, &format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n")).await), 431);
    let fitting = format!(
        "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: {}\r\n\r\n",
        "x".repeat(12_000)
    );
    assert_eq!(status(&ask(&app, &fitting).await), 200);
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_the_connection() {
    let app = TestApp::start_with(|config| config.limits.head_timeout = SHORT).await;
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let mut raw = Raw::connect(&app).await;
        raw.write(begun.as_bytes()).await;
        assert!(!raw.read_to_end().await.contains("200 OK"), "{begun}");
    }
    assert_eq!(app.get("ada", "/v1/inbox").await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_gets_an_answer() {
    let app = TestApp::start_with(|config| config.limits.body_timeout = SHORT).await;
    let mut raw = Raw::connect(&app).await;
    raw.write(unfinished_push().as_bytes()).await;
    let answer = raw.read_to_end().await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(answer.contains("urn:internal-notifications:too-slow"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_gets_an_answer() {
    let app = TestApp::start_with(|config| config.limits.request_timeout = SHORT).await;
    let mut raw = Raw::connect(&app).await;
    raw.write(unfinished_push().as_bytes()).await;
    let answer = raw.read_to_end().await;
    assert_eq!(status(&answer), 503, "{answer}");
    assert!(answer.contains("urn:internal-notifications:unavailable") && answer.contains("retry-after: 1"));
}

#[tokio::test]
async fn a_request_that_outlives_the_shutdown_is_cut_off() {
    let app = TestApp::start_with(|config| config.limits.shutdown_timeout = SHORT).await;
    let mut raw = Raw::connect(&app).await;
    raw.write(unfinished_push().as_bytes()).await;
    // This request was accepted after the unfinished one.
    assert_eq!(app.get("ada", "/health/live").await.status, 200);
    let started = std::time::Instant::now();
    app.server.shutdown().await;
    assert!(started.elapsed() < Limits::default().shutdown_timeout, "{:?}", started.elapsed());
    assert_eq!(raw.read_to_end().await, "");
}

#[tokio::test]
async fn a_client_that_is_rejected_while_sending_a_body_receives_the_answer() {
    let app = TestApp::start().await;
    let cases = [("nobody", 401), (&*app.token("ada"), 403)];
    for (bearer, expected) in cases {
        let mut raw = Raw::connect(&app).await;
        let length = 2 * 1024 * 1024;
        let head = format!(
            "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\ncontent-length: {length}\r\n\r\n"
        );
        // Some clients read only after they have written everything.
        raw.write(head.as_bytes()).await;
        for _ in 0..length / 1024 {
            raw.write(&[b' '; 1024]).await;
        }
        let mut answer = String::new();
        raw.0.read_to_string(&mut answer).await.unwrap();
        assert_eq!(status(&answer), expected, "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_disconnected() {
    let app = TestApp::start_with(|config| {
        config.limits.write_timeout = SHORT;
        config.limits.head_timeout = Duration::from_secs(60);
        config.limits.connections = 1;
    })
    .await;
    let token = app.token("ada");
    for index in 0..8 {
        let answer = app.push(&["ada"], json!({"id": format!("n{index}"), "content": "x".repeat(120_000)}));
        assert_eq!(answer.await.status, 201);
    }
    // The HTTP client's connection ends.
    let closing = app.request(Method::GET, "/health/live").header("connection", "close");
    assert_eq!(send(closing).await.status, 200);
    let mut raw = Raw::connect(&app).await;
    let request =
        format!("GET /v1/inbox HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    // Far more than the kernel's buffers can hold.
    raw.write(request.repeat(40).as_bytes()).await;
    // The limit is one connection: the next one is served once the first has ended.
    let served = ask(&app, "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&served), 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let app = TestApp::start_with(|config| {
        config.limits.connections = 2;
        config.limits.head_timeout = Duration::from_secs(60);
    })
    .await;
    let (first, second) = (Raw::connect(&app).await, Raw::connect(&app).await);
    let third = ask(&app, "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    tokio::pin!(third);
    let waiting = tokio::time::timeout(SHORT, &mut third).await;
    assert!(waiting.is_err(), "it should wait while two connections are open");
    drop(first);
    assert_eq!(status(&third.await), 200);
    drop(second);
}

#[tokio::test]
async fn a_large_page_ends_early() {
    let app = TestApp::start().await;
    for index in 0..12 {
        let answer = app.push(&["ada"], json!({"id": format!("n{index}"), "content": "x".repeat(120_000)}));
        assert_eq!(answer.await.status, 201);
    }
    let page = app.get("ada", "/v1/inbox?limit=200").await;
    let count = page.ids().len();
    assert!((1..12).contains(&count) && page.body["next"].is_u64(), "{count}");
    let changes = app.get("ada", "/v1/inbox/changes?after=0&limit=500").await;
    assert!(changes.body["changes"].as_array().unwrap().len() < 12 && changes.body["more"] == true);
}

#[tokio::test]
async fn a_reset_connection_is_logged_with_its_cause() {
    let (log, _guard) = Log::capture(Level::DEBUG);
    let app = TestApp::start().await;
    let mut raw = Raw::connect(&app).await;
    raw.write(b"GET /health").await;
    raw.0.set_zero_linger().unwrap();
    drop(raw);
    let ended = || log.lines("a connection ended early");
    while ended().is_empty() {
        tokio::task::yield_now().await;
    }
    let lines = ended();
    assert!(lines[0].to_lowercase().contains("connection reset"), "{lines:?}");
}
