use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, send};
use crate::raw::{ask, status};

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_problems() {
    let app = TestApp::start().await;
    for path in [
        "/v1",
        "/v1/inbox/",
        "/v1/inbox/notifications/",
        "/v1/notifications/n1/x",
        "/../etc/passwd",
        "/v1//inbox",
        "/app",
    ] {
        let answer = send(app.request(Method::GET, path)).await;
        assert_eq!(answer.problem(), (404, "no-such-route"), "{path}");
    }
    for (method, path, allowed) in [
        (Method::GET, "/v1/notifications", "POST"),
        (Method::GET, "/v1/notifications/n1", "DELETE"),
        (Method::PUT, "/v1/inbox", "GET"),
        (Method::DELETE, "/v1/inbox/opened", "POST"),
        (Method::PATCH, "/pusher/auth", "POST"),
        (Method::POST, "/v1/inbox/notifications/n1", "DELETE"),
        (Method::POST, "/health/live", "GET"),
        (Method::POST, "/app/key", "GET"),
    ] {
        let answer = send(app.request(method.clone(), path)).await;
        assert_eq!(answer.problem(), (405, "method-not-allowed"), "{method} {path}");
        assert!(answer.header("allow").contains(allowed), "{answer:?}");
    }
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_not_cached() {
    let app = TestApp::start().await;
    for (path, expected) in
        [("/v1/inbox", 200), ("/v1/inbox?limit=x", 422), ("/nowhere", 404), ("/health/live", 200)]
    {
        let answer = app.get("ada", path).await;
        assert_eq!(answer.status, expected);
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn a_request_id_that_is_safe_to_log_is_returned() {
    let app = TestApp::start().await;
    let with =
        |id: &str| send(app.request(Method::GET, "/health/live").header("x-request-id", id.to_owned()));
    assert_eq!(with("trace-1:2/3").await.header("x-request-id"), "trace-1:2/3");
    for odd in ["a b", "\"x\"", "x;y", &"x".repeat(129), ""] {
        assert_eq!(with(odd).await.header("x-request-id").len(), 36, "{odd}");
    }
}

#[tokio::test]
async fn health_needs_no_credential() {
    let app = TestApp::start().await;
    let get = |path: &str| send(app.request(Method::GET, path));
    assert_eq!(get("/health/live").await.body, json!({"status": "live"}));
    assert_eq!(get("/health/ready").await.body, json!({"status": "ready"}));
}

#[tokio::test]
async fn other_protocols_get_an_answer_and_the_server_stays_up() {
    let app = TestApp::start().await;
    for nonsense in [
        "hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "GET /\r\n\r\n",
        "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n",
    ] {
        assert_eq!(status(&ask(&app, nonsense).await), 400, "{nonsense:?}");
    }
    let truncated = ask_and_close(
        &app,
        "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{",
    )
    .await;
    assert!(truncated.is_empty() || status(&truncated) == 401, "{truncated}");
    assert_eq!(app.get("ada", "/v1/inbox").await.status, 200);
}

async fn ask_and_close(app: &TestApp, request: &str) -> String {
    let mut raw = crate::raw::Raw::connect(app).await;
    raw.write(request.as_bytes()).await;
    tokio::io::AsyncWriteExt::shutdown(&mut raw.0).await.unwrap();
    raw.read_to_end().await
}
