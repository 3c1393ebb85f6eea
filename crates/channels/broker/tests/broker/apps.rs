use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pusher_broker::{Apps, Broker, Builder, Limits, Signer, Webhook};
use pusher_protocol::ChannelName;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use crate::support::*;

fn signer_of(app: &str) -> Signer {
    Signer::new(format!("key-{app}"), &format!("secret-{app}"))
}

fn app(id: &str) -> Builder {
    Broker::builder(id, signer_of(id)).clock(|| std::time::Duration::from_secs(NOW))
}

fn two_apps() -> Apps {
    Apps::build([app("a"), app("b")]).unwrap()
}

fn stream_to(apps: &Apps) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1024);
    let service = TowerToHyperService::new(apps.router());
    tokio::spawn(async move {
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service);
        let _ = connection.with_upgrades().await;
    });
    ours
}

async fn open_app(apps: &Apps, key: &str) -> tokio_tungstenite::WebSocketStream<DuplexStream> {
    tokio_tungstenite::client_async(format!("ws://broker/app/{key}?protocol=7"), stream_to(apps))
        .await
        .unwrap()
        .0
}

async fn connect_to(apps: &Apps, id: &str) -> Client {
    establish(open_app(apps, &format!("key-{id}")).await).await
}

/// Sends a request to the HTTP API that this app has signed.
async fn request(apps: &Apps, by: &str, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
    let signed = pusher_signer::Request::new(method, path).with_body(body.as_bytes());
    let query = serde_urlencoded::to_string(signer_of(by).sign_request(&signed, NOW).unwrap()).unwrap();
    let request = Request::builder().method(method).uri(format!("{path}?{query}"));
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream_to(apps))).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let (status, body) = (response.status(), response.into_body().collect().await.unwrap().to_bytes());
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn join_as(client: &mut Client, app: &str, user: &str) -> Value {
    let channel: ChannelName = "presence-room".parse().unwrap();
    let data = json!({"user_id": user}).to_string();
    let auth = signer_of(app).authorize_channel(&client.id, &channel, Some(&data)).unwrap().auth;
    let data = json!({"channel": channel.as_str(), "auth": auth, "channel_data": data});
    client.send(json!({"event": "pusher:subscribe", "data": data})).await;
    client.next().await
}

#[tokio::test]
async fn an_event_reaches_the_subscribers_of_its_app_alone() {
    let apps = two_apps();
    let (mut a, mut b) = (connect_to(&apps, "a").await, connect_to(&apps, "b").await);
    a.subscribe("news").await;
    b.subscribe("news").await;
    let body = json!({"name": "e", "channel": "news", "data": "1"}).to_string();
    assert_eq!(request(&apps, "b", "POST", "/apps/b/events", &body).await.0, StatusCode::OK);
    assert_eq!(b.next().await, event("e", "news", "1"));
    a.got_nothing().await;
}

#[tokio::test]
async fn the_api_of_an_app_takes_its_own_signatures_alone() {
    let apps = two_apps();
    let body = json!({"name": "e", "channel": "news", "data": "1"}).to_string();
    for (by, of, status) in [
        ("a", "a", StatusCode::OK),
        ("b", "b", StatusCode::OK),
        ("a", "b", StatusCode::UNAUTHORIZED),
        ("b", "a", StatusCode::UNAUTHORIZED),
        ("a", "c", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(request(&apps, by, "POST", &format!("/apps/{of}/events"), &body).await.0, status);
    }
}

#[tokio::test]
async fn an_unknown_key_is_closed_with_4001() {
    let mut ws = open_app(&two_apps(), "key-c").await;
    assert_eq!(close_code(&mut ws).await, 4001);
}

#[tokio::test]
async fn members_users_counts_and_signatures_are_apart() {
    let apps = two_apps();
    let (mut a, mut b) = (connect_to(&apps, "a").await, connect_to(&apps, "b").await);
    assert_eq!(join_as(&mut a, "b", "ada").await["event"], "pusher:error", "signed by another app");
    for (client, app, user) in [(&mut a, "a", "ada"), (&mut b, "b", "bob")] {
        let answer = join_as(client, app, user).await;
        assert_eq!(data_of(&answer)["presence"]["ids"], json!([user]));
    }
    let path = |app| format!("/apps/{app}/channels/presence-room/users");
    let users =
        |users: &[&str]| json!({"users": users.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()});
    assert_eq!(request(&apps, "a", "GET", &path("a"), "").await.1, users(&["ada"]));
    assert_eq!(request(&apps, "b", "GET", &path("b"), "").await.1, users(&["bob"]));
    a.got_nothing().await;

    for (client, app) in [(&mut a, "a"), (&mut b, "b")] {
        let user_data = json!({"id": "eve"}).to_string();
        let auth = signer_of(app).authenticate_user(&client.id, &user_data).unwrap().auth;
        client.send(json!({"event": "pusher:signin", "data": {"auth": auth, "user_data": user_data}})).await;
        assert_eq!(client.next().await["event"], "pusher:signin_success");
    }
    let path = "/apps/a/users/eve/terminate_connections";
    assert_eq!(request(&apps, "a", "POST", path, "").await.0, StatusCode::OK);
    assert_eq!(a.close_code().await, 4009);
    b.got_nothing().await;
}

#[tokio::test]
async fn webhooks_and_settings_are_each_apps_own() {
    let (sender, mut received) = mpsc::unbounded_channel::<(&str, Webhook)>();
    let hook = |app| {
        let sender = sender.clone();
        move |webhook| {
            let sent = sender.send((app, webhook)).map_err(|_| "closed".to_owned());
            async move { sent }
        }
    };
    let a = app("a").webhook(hook("a")).allowed_origin("a.example".parse().unwrap());
    let apps = Apps::build([a, app("b").webhook(hook("b")).client_events(true)]).unwrap();
    let mut b = connect_to(&apps, "b").await;
    b.subscribe("news").await;
    let (app, webhook) = received.recv().await.unwrap();
    assert_eq!(app, "b");
    assert!(webhook.headers().contains(&("X-Pusher-Key", "key-b")), "{:?}", webhook.headers());
    assert!(webhook.body().contains("channel_occupied"), "{}", webhook.body());
    let channels: Vec<_> = apps.brokers().map(|broker| broker.metrics().channels).collect();
    assert_eq!(channels, [0, 1]);
}

#[tokio::test]
async fn the_room_is_shared_and_a_quota_is_an_apps_own() {
    let (mut room, mut quota) = (Limits::default(), Limits::default());
    room.connections = 2;
    (quota.connections, quota.connection_quota) = (100, Some(1));
    let apps = Apps::build([app("a").limits(room), app("b").limits(quota)]).unwrap();
    let _b = connect_to(&apps, "b").await;
    assert_eq!(close_code(&mut open_app(&apps, "key-b").await).await, 4004);
    // The rejected connection's task may still be ending.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let _a = connect_to(&apps, "a").await;
    for key in ["key-a", "key-b"] {
        assert_eq!(close_code(&mut open_app(&apps, key).await).await, 4100, "{key}");
    }
}

#[tokio::test]
async fn a_shutdown_closes_the_connections_of_all_apps() {
    let apps = two_apps();
    let (mut a, mut b) = (connect_to(&apps, "a").await, connect_to(&apps, "b").await);
    let codes = async { (a.close_code().await, b.close_code().await) };
    assert_eq!(tokio::join!(codes, apps.shutdown()).0, (4200, 4200));
    let response = request(&apps, "b", "GET", "/apps/b/channels", "").await;
    assert_eq!(response.0, StatusCode::SERVICE_UNAVAILABLE);
}
