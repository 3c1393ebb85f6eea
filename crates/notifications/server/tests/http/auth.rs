use internal_notifications_server::TokenIssuer;
use reqwest::Method;
use serde_json::json;

use crate::app::{API_KEY, TestApp, config, send};

/// Every route that requires a credential.
const ROUTES: [(Method, &str); 13] = [
    (Method::POST, "/pusher/auth"),
    (Method::POST, "/pusher/authorize"),
    (Method::POST, "/broadcasting/auth"),
    (Method::GET, "/v1/realtime"),
    (Method::POST, "/v1/notifications"),
    (Method::DELETE, "/v1/notifications/n1"),
    (Method::GET, "/v1/inbox"),
    (Method::GET, "/v1/inbox/notifications/n1"),
    (Method::DELETE, "/v1/inbox/notifications/n1"),
    (Method::GET, "/v1/inbox/changes?after=0"),
    (Method::GET, "/v1/inbox/head"),
    (Method::POST, "/v1/inbox/opened"),
    (Method::POST, "/v1/inbox/unopened"),
];

#[tokio::test]
async fn without_a_valid_credential_every_route_answers_401() {
    let app = TestApp::start().await;
    let good = app.token("ada");
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9.";
    let other_algorithm = include_str!("../keys/RS256.jwt").trim();
    let expired = {
        let issuer = TokenIssuer::find(&config(&app.folder)).await.unwrap();
        let then = "2020-01-01T00:00:00Z".parse().unwrap();
        issuer.mint(&"ada".parse().unwrap(), then, std::time::Duration::from_secs(60), true)
    };
    let tampered = good.replacen('.', ".e30", 1);
    let huge = "x".repeat(12_000);
    let near = format!("{API_KEY}x");
    for (method, path) in ROUTES {
        let request = || app.request(method.clone(), path);
        let missing = send(request()).await;
        assert_eq!(missing.problem(), (401, "unauthenticated"), "{method} {path}");
        assert_eq!(missing.header("www-authenticate"), "Bearer");
        for bearer in [none, other_algorithm, &expired, &tampered, &huge, &near, "", "shop", "shop:key"] {
            let answer = send(request().bearer_auth(bearer)).await;
            assert_eq!(answer.problem(), (401, "unauthenticated"), "{method} {path} {bearer:.60}");
            assert!(
                bearer.is_empty() || !answer.body.to_string().contains(bearer),
                "the credential is not echoed"
            );
        }
        for header in
            [format!("Basic {good}"), good.clone(), "Bearer".to_owned(), format!("Bearer {good}, {good}")]
        {
            let answer = send(request().header("authorization", header)).await;
            assert_eq!(answer.problem(), (401, "unauthenticated"), "{method} {path}");
        }
        let twice = request().header("authorization", format!("Bearer {good}"));
        let answer = send(twice.header("authorization", format!("Bearer {good}"))).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn an_api_key_has_no_inbox() {
    let app = TestApp::start().await;
    for (method, path) in ROUTES.into_iter().filter(|(_, path)| !path.starts_with("/v1/notifications")) {
        let answer = send(app.request(method.clone(), path).bearer_auth(API_KEY)).await;
        assert_eq!(answer.problem(), (403, "forbidden"), "{method} {path}");
    }
}

#[tokio::test]
async fn an_app_user_pushes_only_with_the_scope() {
    let app = TestApp::start().await;
    let body = json!({"user_ids": ["ada"], "notification": {"content": "to myself"}});
    let request = || app.request(Method::POST, "/v1/notifications").json(&body);
    let answer = send(request().bearer_auth(app.token("ada"))).await;
    assert_eq!(answer.problem(), (403, "forbidden"));
    // Without permission, the body is not read.
    let unread = app.request(Method::POST, "/v1/notifications").bearer_auth(app.token("ada"));
    assert_eq!(send(unread.body("nonsense")).await.problem(), (403, "forbidden"));
    assert_eq!(send(request().bearer_auth(app.push_token("ada"))).await.status, 201);
    let inbox = app.get("ada", "/v1/inbox").await;
    assert_eq!(inbox.body["notifications"][0]["sender"], "user:ada");
}

#[tokio::test]
async fn a_public_key_verifies_tokens_but_cannot_sign_them() {
    let app = TestApp::start_with(|config| {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/ES256.pub");
        let with_key = internal_notifications_server::Config::from_env(|name| {
            (name == "INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE").then(|| file.to_owned())
        });
        config.auth.jwt = with_key.unwrap().auth.jwt;
    })
    .await;
    let token = include_str!("../keys/ES256.jwt").trim();
    assert_eq!(send(app.request(Method::GET, "/v1/inbox/head").bearer_auth(token)).await.status, 200);
    assert!(app.server.token(&"ada".parse().unwrap(), std::time::Duration::from_secs(1), false).is_none());
    assert!(!app.server.has_generated_secret());
}
