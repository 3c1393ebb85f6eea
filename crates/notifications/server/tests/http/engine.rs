use std::net::SocketAddr;
use std::time::Duration;

use internal_notifications_server::Config;
use internal_notifications_server::config::{ClientEndpoint, RealtimeConfig};
use serde_json::{Value, json};

use crate::app::{API_KEY, TestApp, send};
use crate::metrics::Scrape;
use crate::stand_in_engine::StandInEngine;
use crate::websocket::Socket;

/// Starts a server whose engine is the broker of another one.
async fn server_using(engine: &TestApp, secret: &str) -> TestApp {
    let realtime = engine.get("ada", "/v1/realtime").await.body;
    server_at(engine.server.local_addr(), realtime["key"].as_str().unwrap(), secret).await
}

async fn server_at(address: SocketAddr, key: &str, secret: &str) -> TestApp {
    let config = Config::from_env(|name| {
        Some(match name {
            "PUSHER_APP_ID" => "app".to_owned(),
            "PUSHER_APP_KEY" => key.to_owned(),
            "PUSHER_APP_SECRET" => secret.to_owned(),
            "PUSHER_HOST" => address.ip().to_string(),
            "PUSHER_PORT" => address.port().to_string(),
            "PUSHER_SCHEME" => "http".to_owned(),
            _ => return None,
        })
    });
    let realtime = config.unwrap().realtime;
    TestApp::start_with(|config| config.realtime = realtime).await
}

/// Waits until the condition holds.
async fn until(mut holds: impl FnMut() -> bool) {
    let reached = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("it should hold");
}

async fn engine() -> TestApp {
    TestApp::start_with(|config| {
        let RealtimeConfig::Embedded(embedded) = &mut config.realtime else { panic!("the default") };
        embedded.app_id = Some("app".to_owned());
        embedded.app_secret = Some("the-secret".to_owned());
    })
    .await
}

#[tokio::test]
async fn events_reach_a_remote_engine_in_order() {
    let engine = engine().await;
    let app = server_using(&engine, "the-secret").await;
    let mut socket = Socket::connect(&engine).await;
    // The servers share the app, so either one's signature is valid.
    socket.subscribe(&app, "ada").await;
    app.fill("ada", 25).await;
    for seq in 1..=25 {
        let (_, data) = socket.next().await;
        assert_eq!(data["inbox"]["seq"], seq);
    }
    let realtime = app.get("ada", "/v1/realtime").await.body;
    let address = engine.server.local_addr();
    let expected = (&json!(address.ip().to_string()), &json!(address.port()), &json!("http"));
    assert_eq!((&realtime["host"], &realtime["port"], &realtime["scheme"]), expected);
}

#[tokio::test]
async fn events_that_the_engine_rejects_are_skipped_and_stay_in_the_inbox() {
    let engine = StandInEngine::start().await;
    engine.answer_channel("private-ada", (413, "too large"));
    let app = server_at(engine.address, "key", "secret").await;
    app.fill("ada", 3).await;
    app.fill("bob", 1).await;
    until(|| app.server.node().refused() > 0 && engine.published("private-bob") == [1]).await;
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), ["n3", "n2", "n1"]);
    assert_eq!(app.get("ada", "/health/ready").await.status, 200);
    app.server.shutdown().await;
}

#[tokio::test]
async fn an_engine_that_rejects_the_server_makes_it_unready_until_everything_is_published() {
    let engine = StandInEngine::start().await;
    let app = server_at(engine.address, "key", "the-secret").await;
    assert_eq!(app.get("ada", "/health/ready").await.status, 200);
    engine.answer_all(Some((401, "Invalid signature: you should have sent the-signature of the-secret")));
    app.fill("ada", 3).await;
    until(|| engine.rejected() > 0).await;
    let mut unready = app.get("ada", "/health/ready").await;
    while unready.status == 200 {
        unready = app.get("ada", "/health/ready").await;
    }
    assert_eq!(unready.problem(), (503, "unavailable"));
    let detail = unready.body["detail"].as_str().unwrap();
    assert!(detail.contains("401") && !detail.contains("the-s"), "{detail}");
    let metrics = Scrape::of(&app).await;
    assert_eq!(metrics.get("engine_rejecting"), 1.0);
    assert_eq!(app.server.node().refused(), 0);
    assert!(metrics.get("unpublished_inboxes") > 0.0);
    engine.answer_all(None);
    until(|| engine.published("private-ada") == [1, 2, 3]).await;
    assert_eq!(app.get("ada", "/health/ready").await.status, 200);
    assert_eq!(Scrape::of(&app).await.get("engine_rejecting"), 0.0);
}

#[tokio::test]
async fn answers_that_are_not_about_the_events_skip_none() {
    for answer in [
        (301, "moved"),
        (402, "pay"),
        (403, "over quota"),
        (404, "unknown app"),
        (405, "no such method"),
        (407, "proxy"),
        (429, "slowly"),
        (500, "bug"),
        (503, "busy"),
        (200, "<!doctype html><title>Log in to the network</title>"),
    ] {
        let engine = StandInEngine::start().await;
        engine.answer_all(Some(answer));
        let app = server_at(engine.address, "key", "secret").await;
        app.fill("ada", 2).await;
        until(|| engine.rejected() > 1).await;
        assert_eq!(app.server.node().refused(), 0, "{answer:?}");
        let is_ready = app.get("ada", "/health/ready").await.status == 200;
        assert_eq!(is_ready, matches!(answer.0, 429 | 500..), "{answer:?}");
        engine.answer_all(None);
        until(|| engine.published("private-ada") == [1, 2]).await;
        app.server.shutdown().await;
    }
}

#[tokio::test]
async fn a_push_to_many_goes_to_the_engine_ten_inboxes_at_a_time() {
    let engine = StandInEngine::start().await;
    let app = server_at(engine.address, "key", "secret").await;
    let users: Vec<String> = (0..200).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    app.push(&names, json!({"content": "hello"})).await;
    until(|| engine.batches().iter().sum::<usize>() == 200).await;
    assert_eq!(engine.batches(), [10; 20]);
    assert!(users.iter().all(|user| engine.published(&format!("private-{user}")) == [1]));
}

#[tokio::test]
async fn clients_receive_the_address_of_the_engine() {
    let app = TestApp::start().await;
    let own = app.get("ada", "/v1/realtime").await.body;
    let expected = json!({
        "key": own["key"], "channel": "private-ada", "auth_endpoint": "/pusher/auth", "path": "", "event": "internal-notification",
        "changed_event": "internal-notifications-changed", "position_check_seconds": 60,
    });
    assert_eq!(own, expected);
    let app = TestApp::start_with(|config| {
        let RealtimeConfig::Embedded(embedded) = &mut config.realtime else { panic!("the default") };
        embedded.client = Some(ClientEndpoint::new("ws.example"));
        config.position_check_seconds = 7;
    })
    .await;
    let realtime: Value = app.get("ada", "/v1/realtime").await.body;
    assert_eq!((&realtime["host"], &realtime["position_check_seconds"]), (&json!("ws.example"), &json!(7)));
}

#[tokio::test]
async fn a_remote_engine_closes_the_connections_that_signed_in() {
    let engine = engine().await;
    let app = server_using(&engine, "the-secret").await;
    let mut socket = Socket::connect(&engine).await;
    let signed = app.post("ada", "/pusher/user-auth", json!({"socket_id": socket.id})).await.body;
    socket.send(json!({"event": "pusher:signin", "data": signed})).await;
    assert_eq!(socket.next().await.0, "pusher:signin_success");
    let close = |app: &TestApp| {
        app.request(reqwest::Method::DELETE, "/v1/users/ada/connections").bearer_auth(API_KEY)
    };
    assert_eq!(send(close(&app)).await.status, 204);
    assert_eq!(socket.close_code().await, 4009);
    let unauthorized = server_using(&engine, "another-secret").await;
    assert_eq!(send(close(&unauthorized)).await.problem(), (503, "unavailable"));
}
