//! Sign-in, and connections that the server closes.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use internal_notifications_models::UserId;
use internal_notifications_server::auth::{AuthError, Authenticator};
use internal_notifications_server::config::{Config, EmbeddedConfig};
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::{Limits, Node, Principal, serve};
use jiff::Timestamp;
use pusher_protocol::SocketId;
use pusher_signer::Signer;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::app::{API_KEY, Answer, TestApp, send};
use crate::websocket::Socket;

async fn sign_in(app: &TestApp, socket: &mut Socket, user: &str) {
    let signed = app.post(user, "/pusher/user-auth", json!({"socket_id": socket.id})).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    socket.send(json!({"event": "pusher:signin", "data": signed.body})).await;
    assert_eq!(socket.next().await.0, "pusher:signin_success");
}

async fn close(app: &TestApp, bearer: &str, user: &str) -> Answer {
    let path = format!("/v1/users/{user}/connections");
    send(app.request(Method::DELETE, &path).bearer_auth(bearer)).await
}

#[tokio::test]
async fn a_socket_is_signed_in_only_as_the_caller() {
    let secret = "the-secret";
    let app = TestApp::start_with(|config| {
        let internal_notifications_server::config::RealtimeConfig::Embedded(embedded) = &mut config.realtime
        else {
            panic!("the default")
        };
        embedded.app_key = Some("the-key".to_owned());
        embedded.app_secret = Some(secret.to_owned());
    })
    .await;
    let socket = SocketId::new("1.2").unwrap();
    for path in ["/pusher/user-auth", "/broadcasting/user-auth"] {
        for body in
            ["socket_id=1.2", "socketId=1.2&user_id=bob", r#"{"socket_id":"1.2","user_data":{"id":"bob"}}"#]
        {
            let request = app.request(Method::POST, path).bearer_auth(app.token("ada")).body(body);
            let answer = send(request).await;
            assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
            let (auth, user_data) = (&answer.body["auth"], answer.body["user_data"].as_str().unwrap());
            assert_eq!(serde_json::from_str::<Value>(user_data).unwrap(), json!({"id": "ada"}));
            Signer::new("the-key", secret).verify_user(auth.as_str().unwrap(), &socket, user_data).unwrap();
        }
    }
    let ask = |bearer: String, body: &'static str| {
        send(app.request(Method::POST, "/pusher/user-auth").bearer_auth(bearer).body(body))
    };
    assert_eq!(ask("nobody".to_owned(), "socket_id=1.2").await.problem(), (401, "unauthenticated"));
    assert_eq!(ask(API_KEY.to_owned(), "socket_id=1.2").await.problem(), (403, "forbidden"));
    assert_eq!(ask(app.token("ada"), "").await.problem(), (400, "malformed"));
    assert_eq!(ask(app.token("ada"), "socket_id=1.2::user::").await.problem(), (422, "invalid"));
}

#[tokio::test]
async fn a_backend_closes_all_connections_of_a_user_and_no_others() {
    let app = TestApp::start().await;
    let (mut subscribed, mut signed_in, mut bob) =
        (Socket::connect(&app).await, Socket::connect(&app).await, Socket::connect(&app).await);
    subscribed.subscribe(&app, "ada").await;
    sign_in(&app, &mut signed_in, "ada").await;
    bob.subscribe(&app, "bob").await;
    assert_eq!(close(&app, &app.token("ada"), "ada").await.problem(), (403, "forbidden"));
    assert_eq!(close(&app, API_KEY, "a%20b").await.problem(), (422, "invalid"));
    assert_eq!(close(&app, API_KEY, "ada").await.status, 204);
    assert_eq!((subscribed.close_code().await, signed_in.close_code().await), (4009, 4009));
    bob.send(json!({"event": "pusher:ping"})).await;
    assert_eq!(bob.next().await.0, "pusher:pong");
    assert_eq!(close(&app, API_KEY, "nobody").await.status, 204);
}

#[tokio::test]
async fn signatures_from_before_the_close_are_rejected_after_it() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    let form = json!({"socket_id": socket.id, "channel_name": "private-ada"});
    let subscribe = async || {
        let mut signed = app.post("ada", "/pusher/auth", form.clone()).await.body;
        signed["channel"] = json!("private-ada");
        json!({"event": "pusher:subscribe", "data": signed})
    };
    let sign_in = async || {
        let signed = app.post("ada", "/pusher/user-auth", form.clone()).await.body;
        json!({"event": "pusher:signin", "data": signed})
    };
    let before = [subscribe().await, sign_in().await];
    // Another user gets a signature for their own channel only.
    app.post("bob", "/pusher/user-auth", form.clone()).await;
    assert_eq!(close(&app, API_KEY, "ada").await.status, 204);
    for frame in before {
        socket.send(frame).await;
        assert_eq!(socket.next().await.0, "pusher:error");
    }
    socket.send(subscribe().await).await;
    assert_eq!(socket.next().await.0, "pusher_internal:subscription_succeeded");
    socket.send(sign_in().await).await;
    assert_eq!(socket.next().await.0, "pusher:signin_success");
}

/// Accepts `backend` as a backend's, and records the users it was asked to forget.
#[derive(Clone, Default)]
struct Forgetful(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Authenticator for Forgetful {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        match bearer {
            "backend" => Ok(Principal::key("backend")),
            user => Ok(Principal::user(user.parse().unwrap())),
        }
    }

    fn forget(&self, user_id: &UserId) {
        self.0.lock().unwrap().push(user_id.to_string());
    }
}

#[tokio::test]
async fn a_user_whose_connections_are_closed_is_forgotten_by_the_authenticator() {
    let store = MemoryStore::open(MemoryData::default(), MemoryOptions::default());
    let authenticator = Forgetful::default();
    let node = Node::builder(Arc::new(store))
        .config(Config::new().with_realtime(EmbeddedConfig::new()))
        .authenticator(authenticator.clone())
        .start()
        .await
        .unwrap();
    for (bearer, status) in [("ada", 403), ("backend", 204)] {
        let request = Request::delete("/v1/users/ada/connections")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {bearer}"));
        let answer = node.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
    }
    assert_eq!(*authenticator.0.lock().unwrap(), ["ada"]);
}

/// Accepts everyone with a credential that expires at once.
struct UntilNow;

#[async_trait]
impl Authenticator for UntilNow {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        let id = bearer.parse().map_err(|_| AuthError::Unauthenticated("nobody".into()))?;
        Ok(Principal::user(id).with_expiry(Timestamp::now()))
    }
}

#[tokio::test]
async fn a_connection_is_closed_when_the_token_that_authorized_it_has_expired() {
    let store = MemoryStore::open(MemoryData::default(), MemoryOptions::default());
    let broker = EmbeddedConfig::new().with_app("1", "app-key", "app-secret");
    let node = Node::builder(Arc::new(store))
        .config(Config::new().with_realtime(broker))
        .authenticator(UntilNow)
        .start()
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = node.router();
    tokio::spawn(async move { serve(listener, router, &Limits::default(), std::future::pending()).await });
    let http = pusher_client::Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
    for (path, event) in [("/pusher/auth", "pusher:subscribe"), ("/pusher/user-auth", "pusher:signin")] {
        let mut socket = Socket::connect_to(address, "app-key").await;
        let form = json!({"socket_id": socket.id, "channel_name": "private-ada"});
        let request = http.post(format!("http://{address}{path}")).bearer_auth("ada").json(&form);
        let mut signed = send(request).await.body;
        signed["channel"] = json!("private-ada");
        socket.send(json!({"event": event, "data": signed})).await;
        // With this code, the client reconnects at once, with a new token.
        assert_eq!(socket.close_code().await, 4200, "{path}");
    }
}
