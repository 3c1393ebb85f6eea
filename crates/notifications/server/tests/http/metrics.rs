use std::collections::BTreeMap;

use internal_notifications_models::InternalNotification;
use internal_notifications_outbox::Outbox;
use reqwest::Method;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::app::{API_KEY, TestApp, send};
use crate::websocket::Socket;

/// The answer of `/metrics`, parsed as Prometheus does: the value of each series.
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(crate) async fn of(app: &TestApp) -> Self {
        let answer = app.request(Method::GET, "/metrics").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let text = answer.text().await.unwrap();
        let (mut series, mut typed) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
                assert_eq!(typed.insert(name.to_owned(), kind.to_owned()), None, "{name} twice");
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (name, value) = line.rsplit_once(' ').expect(line);
            let base = name.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| base.strip_suffix(end));
            let known = typed.contains_key(base) || family.is_some_and(|family| typed.contains_key(family));
            assert!(known && base.starts_with("internal_notifications_"), "{line}");
            assert_eq!(series.insert(name.to_owned(), value.parse().expect(line)), None, "{name} twice");
        }
        assert!(!text.contains("ada") && !text.contains("bob") && !text.contains("/n1"), "{text}");
        Self(series)
    }

    pub(crate) fn get(&self, series: &str) -> f64 {
        self.find(series).unwrap_or_else(|| panic!("{series} is not among {:#?}", self.0.keys()))
    }

    pub(crate) fn find(&self, series: &str) -> Option<f64> {
        self.0.get(&format!("internal_notifications_{series}")).copied()
    }
}

#[tokio::test]
async fn metrics_count_pushes_changes_and_requests() {
    let app = TestApp::start().await;
    let before = Scrape::of(&app).await;
    assert_eq!((before.get("count_drift"), before.get("count_drift_repaired_total")), (0.0, 0.0));
    assert_eq!(before.get(r#"pushed_total{outcome="accepted"}"#), 0.0);
    assert_eq!(before.get("broker_connections"), 0.0);

    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    app.fill("ada", 2).await;
    app.push(&["ada", "bob"], json!({"id": "n1", "content": "hello"})).await;
    app.push(&["ada"], json!({"content": "c", "send_after": "2099-01-01T00:00:00Z"})).await;
    assert_eq!(app.push(&["ada"], json!({"id": "n1", "content": "other"})).await.status, 409);
    assert_eq!(app.push(&["ada"], json!({"content": ""})).await.status, 422);
    app.post("ada", "/v1/inbox/opened", json!({"ids": ["n1"]})).await;
    app.post("ada", "/v1/inbox/opened", json!({"ids": ["n1"]})).await;
    app.delete("ada", "/v1/inbox/notifications/n1").await;
    assert_eq!(app.delete("ada", "/v1/inbox/notifications/n1").await.status, 404);
    app.get("ada", "/v1/inbox/changes?after=0").await;
    app.get("ada", "/v1/inbox/changes?after=3&tag=0123456789abcdef").await;
    send(app.request(Method::from_bytes(b"BREW").unwrap(), "/some/where/else")).await;
    for seq in 1..=4 {
        assert_eq!(socket.next().await.1["inbox"]["seq"], seq);
    }

    let mut now = Scrape::of(&app).await;
    while now.get(r#"published_events_total{outcome="published"}"#) < 5.0 {
        now = Scrape::of(&app).await;
    }
    for (series, value) in [
        (r#"pushed_total{outcome="accepted"}"#, 3.0),
        (r#"pushed_total{outcome="duplicate"}"#, 1.0),
        (r#"pushed_total{outcome="scheduled"}"#, 1.0),
        (r#"changes_total{kind="added"}"#, 3.0),
        (r#"changes_total{kind="opened"}"#, 1.0),
        (r#"changes_total{kind="removed"}"#, 1.0),
        (r#"catch_ups_total{answer="changes"}"#, 1.0),
        (r#"catch_ups_total{answer="diverged"}"#, 1.0),
        (r#"published_events_total{outcome="refused"}"#, 0.0),
        (r#"intents_total{outcome="relayed"}"#, 0.0),
        (r#"intents_total{outcome="failed"}"#, 0.0),
        ("unpublished_inboxes", 0.0),
        ("broker_connections", 1.0),
        (r#"store_errors_total{call="push",kind="id_taken"}"#, 1.0),
        (r#"store_errors_total{call="write",kind="not_found"}"#, 1.0),
        (r#"http_problems_total{route="/v1/notifications",type="id-taken"}"#, 1.0),
        (r#"http_problems_total{route="/v1/notifications",type="invalid"}"#, 1.0),
        (r#"http_problems_total{route="none",type="no-such-route"}"#, 1.0),
        (r#"http_requests_total{method="POST",route="/v1/notifications",status="2xx"}"#, 4.0),
        (r#"http_requests_total{method="POST",route="/v1/notifications",status="4xx"}"#, 2.0),
        (r#"http_requests_total{method="DELETE",route="/v1/inbox/notifications/{id}",status="2xx"}"#, 1.0),
        (r#"http_requests_total{method="other",route="none",status="4xx"}"#, 1.0),
        (r#"http_request_duration_seconds_count{route="/v1/notifications"}"#, 6.0),
        (r#"http_request_duration_seconds_bucket{route="/v1/notifications",le="+Inf"}"#, 6.0),
    ] {
        assert_eq!(now.get(series), value, "{series}");
    }
}

#[tokio::test]
async fn intents_are_counted_by_outcome() {
    let app = TestApp::start().await;
    let file = app.folder.path().join("inbox.db");
    let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    Outbox::create_table(&mut database).await.unwrap();
    let outbox = Outbox::new("orders").unwrap();
    for id in ["n1", "n2", "n1"] {
        let notification = InternalNotification::new("from an app").with_id(id.parse().unwrap());
        outbox.push(&mut database, &["ada".parse().unwrap()], &notification).await.unwrap();
    }
    let other = InternalNotification::new("another").with_id("n1".parse().unwrap());
    outbox.push(&mut database, &["ada".parse().unwrap()], &other).await.unwrap();
    let intents =
        async |outcome| Scrape::of(&app).await.get(&format!("intents_total{{outcome=\"{outcome}\"}}"));
    while intents("relayed").await < 3.0 || intents("failed").await < 1.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((intents("relayed").await, intents("failed").await), (3.0, 1.0));
}

#[tokio::test]
async fn unknown_paths_and_methods_create_no_series() {
    let app = TestApp::start().await;
    let count = async || Scrape::of(&app).await.0.len();
    send(app.request(Method::from_bytes(b"BREW").unwrap(), "/nowhere/0")).await;
    send(app.request(Method::DELETE, "/v1/notifications/0").bearer_auth(API_KEY)).await;
    count().await;
    let before = count().await;
    for index in 1..20 {
        let method = Method::from_bytes(format!("BREW{index}").as_bytes()).unwrap();
        send(app.request(method, &format!("/nowhere/{index}?x={index}"))).await;
        let path = format!("/v1/notifications/{index}");
        send(app.request(Method::DELETE, &path).bearer_auth(API_KEY)).await;
    }
    assert_eq!(count().await, before);
}
