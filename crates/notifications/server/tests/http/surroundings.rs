use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use internal_notifications_server::auth::{AuthError, Authenticator};
use internal_notifications_server::config::{AllowedHosts, Config, EmbeddedConfig, Origin};
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::{Node, Principal};
use reqwest::Method;
use tower::ServiceExt;

use crate::app::{TestApp, send};
use crate::raw::{ask, status};

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n")
}

#[tokio::test]
async fn only_requests_to_its_own_hosts_are_accepted() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/v1/inbox", "/app/key?protocol=7", "/nowhere"] {
        for host in ["evil.example", "localhost.evil.example:80", "127.0.0.2", "[::2]:1", ""] {
            let answer = ask(&app, &get(path, &format!("host: {host}\r\n"))).await;
            assert_eq!(status(&answer), 421, "{path} {host}: {answer}");
            assert!(
                answer.contains("urn:internal-notifications:misdirected") && answer.contains("x-request-id")
            );
        }
        for headers in ["", "host: localhost\r\nhost: localhost\r\n"] {
            assert_eq!(status(&ask(&app, &get(path, headers)).await), 400, "{path} {headers:?}");
        }
    }
    for host in ["localhost", "LocalHost:9", "127.0.0.1:80", "[::1]:8080"] {
        assert_eq!(
            status(&ask(&app, &get("/health/live", &format!("host: {host}\r\n"))).await),
            200,
            "{host}"
        );
    }
    let absolute = get("http://evil.example/health/live", "host: localhost\r\n");
    assert_eq!(status(&ask(&app, &absolute).await), 421);
}

#[tokio::test]
async fn configured_hosts_replace_the_default() {
    let app = TestApp::start_with(|config| {
        config.allowed_hosts = Some(AllowedHosts::Only(vec!["inbox.example".to_owned()]));
    })
    .await;
    assert_eq!(status(&ask(&app, &get("/health/live", "host: inbox.example:443\r\n")).await), 200);
    assert_eq!(status(&ask(&app, &get("/health/live", "host: localhost\r\n")).await), 421);
}

#[tokio::test]
async fn only_configured_origins_may_read_answers() {
    let app = TestApp::start_with(|config| {
        config.cors_origins = vec![Origin::new("https://app.example").unwrap()];
    })
    .await;
    let from = |origin: &str| {
        let origin = origin.to_owned();
        send(app.request(Method::GET, "/v1/inbox").header("origin", origin))
    };
    let ours = from("https://app.example").await;
    assert_eq!((ours.status, ours.header("access-control-allow-origin")), (401, "https://app.example"));
    let exposed = ours.header("access-control-expose-headers");
    assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"), "{exposed}");
    assert_eq!(from("https://evil.example").await.header("access-control-allow-origin"), "");

    let preflight = app.request(Method::OPTIONS, "/v1/inbox/notifications/n1");
    let preflight = preflight.header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-method", "DELETE");
    let answer = send(preflight.header("access-control-request-headers", "authorization")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-methods").contains("DELETE"));
    assert!(answer.header("access-control-allow-headers").contains("authorization"));

    let closed = TestApp::start().await;
    let request = closed.request(Method::GET, "/health/live").header("origin", "https://app.example");
    let answer = send(request).await;
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), ("", ""));
    let preflight = closed.request(Method::OPTIONS, "/v1/inbox").header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-method", "GET");
    assert_eq!(send(preflight).await.problem(), (405, "method-not-allowed"));
}

struct Broken;

#[async_trait]
impl Authenticator for Broken {
    async fn authenticate(&self, _: &str) -> Result<Principal, AuthError> {
        panic!("a secret of the login")
    }
}

#[tokio::test]
async fn a_front_end_may_read_the_answer_to_a_panic() {
    let store = MemoryStore::open(MemoryData::default(), MemoryOptions::default());
    let mut config = Config::new().with_realtime(EmbeddedConfig::new());
    config.cors_origins = vec![Origin::new("https://app.example").unwrap()];
    let node = Node::builder(Arc::new(store)).config(config).authenticator(Broken).start().await.unwrap();
    let request = Request::get("/v1/inbox")
        .header("host", "localhost")
        .header("origin", "https://app.example")
        .header("authorization", "Bearer ada");
    let answer = node.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example");
    assert!(answer.headers().contains_key("x-request-id"));
}
