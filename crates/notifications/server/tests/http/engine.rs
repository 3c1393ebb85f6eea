use internal_notifications_server::Config;
use internal_notifications_server::config::{ClientEndpoint, RealtimeConfig};
use serde_json::{Value, json};

use crate::app::{API_KEY, TestApp, send};
use crate::websocket::Socket;

/// Starts a server whose engine is the broker of another one.
async fn server_using(engine: &TestApp, secret: &str) -> TestApp {
    let realtime = engine.get("ada", "/v1/realtime").await.body;
    let address = engine.server.local_addr();
    let config = Config::from_env(|name| {
        Some(match name {
            "PUSHER_APP_ID" => "app".to_owned(),
            "PUSHER_APP_KEY" => realtime["key"].as_str().unwrap().to_owned(),
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
    let engine = engine().await;
    let app = server_using(&engine, "another-secret").await;
    app.fill("ada", 3).await;
    while app.server.node().refused() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), ["n3", "n2", "n1"]);
    app.server.shutdown().await;
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
