use internal_notifications_server::config::{ClientEndpoint, RealtimeConfig, Scheme};
use reqwest::Method;

use crate::app::TestApp;

/// This test accepts the built page and its placeholder.
#[tokio::test]
async fn the_page_may_load_only_from_this_server() {
    let app = TestApp::start().await;
    let answer = app.request(Method::GET, "/").send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(answer.status(), 200);
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    for rule in ["default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && policy.ends_with("connect-src 'self'"), "{policy}");
    let html = answer.text().await.unwrap();
    for word in ["<style", " style=", "<script>", "onclick", "javascript:"] {
        assert!(!html.contains(word), "{word} in {html}");
    }
    for name in ["none.js", "none", "..%2fCargo.toml", "%2e%2e%2f.gitignore", ".gitignore", "a.html"] {
        let answer = app.request(Method::GET, &format!("/assets/{name}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{name}");
    }
}

#[tokio::test]
async fn the_page_and_clients_are_sent_to_the_configured_engine() {
    for (host, in_url) in [
        ("sockets.example", "sockets.example"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
    ] {
        let app = TestApp::start_with(|config| {
            let RealtimeConfig::Embedded(embedded) = &mut config.realtime else { panic!("the default") };
            embedded.client = Some(ClientEndpoint::new(host).with_port(6001).with_scheme(Scheme::Http));
        })
        .await;
        let answer = app.request(Method::GET, "/").send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.ends_with(&format!("connect-src 'self' ws://{in_url}:6001")), "{policy}");
        assert_eq!(app.get("ada", "/v1/realtime").await.body["host"], in_url);
    }
}
