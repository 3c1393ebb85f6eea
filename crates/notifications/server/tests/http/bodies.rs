//! The memory that request bodies take.

use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, send};
use crate::metrics::Scrape;
use crate::raw::{Raw, ask, status};

const MIB: usize = 1024 * 1024;

/// The start of a request whose body does not end.
fn unfinished(path: &str, token: &str, length: usize, sent: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), vec![b' '; sent]].concat()
}

async fn held(app: &TestApp) -> usize {
    Scrape::of(app).await.get("buffered_body_bytes") as usize
}

/// Waits until this many bytes are held, or fewer.
async fn released(app: &TestApp, bytes: usize) {
    while held(app).await > bytes {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_unfinished_bodies_of_one_user_are_bounded_together_and_cost_no_other() {
    let app = TestApp::start().await;
    let token = app.token("eve");
    let mut all = Vec::new();
    for _ in 0..300 {
        let mut raw = Raw::connect(&app).await;
        raw.write(&unfinished("/v1/inbox/opened", &token, 700_000, 100_000)).await;
        all.push(raw);
    }
    let rejected = r#"http_problems_total{route="/v1/inbox/opened",type="too-many-requests"}"#;
    while Scrape::of(&app).await.find(rejected).unwrap_or(0.0) < 250.0 {
        tokio::task::yield_now().await;
    }
    let held_by_eve = held(&app).await;
    assert!((MIB..=4 * MIB).contains(&held_by_eve), "{held_by_eve}");
    let answer = app.post("ada", "/v1/inbox/opened", json!({"all": true})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(all);
    released(&app, 0).await;
    assert_eq!(app.post("eve", "/v1/inbox/opened", json!({"all": true})).await.status, 200);
}

#[tokio::test]
async fn a_caller_beyond_its_share_is_told_to_wait() {
    let app = TestApp::start_with(|config| config.limits.buffered_bytes = 4 * MIB).await;
    let token = app.push_token("eve");
    let mut raw = Raw::connect(&app).await;
    raw.write(&unfinished("/v1/notifications", &token, 2 * MIB, 2 * MIB - 1)).await;
    while held(&app).await < 2 * MIB - 1 {
        tokio::task::yield_now().await;
    }
    let beyond = app.post("eve", "/v1/inbox/opened", json!({"all": true, "op": "o"})).await;
    assert_eq!((beyond.problem(), beyond.header("retry-after")), ((429, "too-many-requests"), "1"));
    assert_eq!(app.post("ada", "/v1/inbox/opened", json!({"all": true})).await.status, 200);
}

#[tokio::test]
async fn bodies_beyond_the_whole_budget_are_told_to_wait() {
    let app = TestApp::start_with(|config| config.limits.buffered_bytes = 2 * MIB).await;
    let token = app.push_token("eve");
    let mut raw = Raw::connect(&app).await;
    raw.write(&unfinished("/v1/notifications", &token, 2 * MIB, 2 * MIB - 1)).await;
    while held(&app).await < 2 * MIB - 1 {
        tokio::task::yield_now().await;
    }
    let beyond = app.post("ada", "/v1/inbox/opened", json!({"all": true, "op": "o"})).await;
    assert_eq!((beyond.problem(), beyond.header("retry-after")), ((503, "unavailable"), "1"));
    drop(raw);
    released(&app, 0).await;
    assert_eq!(app.post("ada", "/v1/inbox/opened", json!({"all": true})).await.status, 200);
}

#[tokio::test]
async fn only_bytes_that_arrived_are_counted() {
    let app = TestApp::start().await;
    let token = app.push_token("eve");
    let mut all = Vec::new();
    for _ in 0..50 {
        let mut raw = Raw::connect(&app).await;
        raw.write(&unfinished("/v1/notifications", &token, 2 * MIB, 10)).await;
        all.push(raw);
    }
    while held(&app).await < 500 {
        tokio::task::yield_now().await;
    }
    assert_eq!(held(&app).await, 500);
    assert_eq!(app.post("eve", "/v1/inbox/opened", json!({"all": true})).await.status, 200);
}

#[tokio::test]
async fn a_finished_or_rejected_body_is_no_longer_counted() {
    let app = TestApp::start().await;
    app.fill("ada", 2).await;
    assert_eq!(app.push_body("x".repeat(MIB)).await.status, 400);
    assert_eq!(app.push_body("x".repeat(3 * MIB)).await.status, 413);
    assert_eq!(app.post("ada", "/v1/inbox/opened", json!({"ids": []})).await.status, 422);
    released(&app, 0).await;
}

#[tokio::test]
async fn each_route_accepts_as_much_as_it_needs() {
    let app = TestApp::start().await;
    let post = |path: &str, body: String| {
        send(app.request(Method::POST, path).bearer_auth(app.token("ada")).body(body))
    };
    for path in ["/pusher/auth", "/pusher/user-auth", "/broadcasting/auth"] {
        let own =
            |filler: usize| format!("socket_id=1.2&channel_name=private-ada&filler={}", "x".repeat(filler));
        assert_eq!(post(path, own(4_000)).await.status, 200, "{path}");
        assert_eq!(post(path, own(4_096)).await.problem(), (413, "too-large"), "{path}");
    }
    // The longest ids, escaped as in a body of ASCII only.
    let longest = |n: usize| format!("\"{}{}\"", "\\ud83d\\ude00".repeat(125), format_args!("{n:03}"));
    let ids: Vec<_> = (0..500).map(longest).collect();
    let marked = post("/v1/inbox/opened", format!("{{\"ids\": [{}]}}", ids.join(", "))).await;
    assert_eq!(marked.status, 200, "{marked:?}");
    for path in ["/v1/inbox/opened", "/v1/inbox/unopened"] {
        assert_eq!(post(path, " ".repeat(800 * 1024)).await.problem(), (413, "too-large"), "{path}");
    }
}

#[tokio::test]
async fn a_stranger_is_rejected_before_the_body_is_read() {
    let app = TestApp::start().await;
    let request = unfinished("/v1/notifications", "nobody", MIB, 10);
    assert_eq!(status(&ask(&app, std::str::from_utf8(&request).unwrap()).await), 401);
    assert_eq!(held(&app).await, 0);
}
