use std::time::Duration;

use internal_notifications_server::config::ApiKey;
use internal_notifications_server::{Config, Server};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const API_KEY: &str = "an-api-key-of-thirty-two-bytes-or-so";

/// A running server and an HTTP client for it.
pub(crate) struct TestApp {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
    http: reqwest::Client,
}

/// An answer with its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) fn config(folder: &TempDir) -> Config {
    let database = format!("sqlite://{}", folder.path().join("inbox.db").display());
    let mut config = Config::from_env(|name| match name {
        "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(database.clone()),
        _ => None,
    })
    .unwrap();
    config.auth.api_keys.push(ApiKey::new("shop", API_KEY).unwrap());
    config
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await
    }

    pub(crate) async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(&folder);
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        let http = pusher_client::Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
        Self { server, folder, http }
    }

    /// Shuts the server down and starts another one on the same database.
    pub(crate) async fn restart(self) -> Self {
        let Self { server, folder, .. } = self;
        server.shutdown().await;
        Self::start_in(folder, |_| {}).await
    }

    pub(crate) fn token(&self, user: &str) -> String {
        self.server.token(&user.parse().unwrap(), Duration::from_secs(60), false).unwrap()
    }

    pub(crate) fn push_token(&self, user: &str) -> String {
        self.server.token(&user.parse().unwrap(), Duration::from_secs(60), true).unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server.url()))
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Answer {
        send(self.request(Method::GET, path).bearer_auth(self.token(user))).await
    }

    pub(crate) async fn post(&self, user: &str, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).bearer_auth(self.token(user)).json(&body)).await
    }

    pub(crate) async fn delete(&self, user: &str, path: &str) -> Answer {
        send(self.request(Method::DELETE, path).bearer_auth(self.token(user))).await
    }

    pub(crate) async fn push(&self, users: &[&str], notification: Value) -> Answer {
        self.push_body(json!({"user_ids": users, "notification": notification}).to_string()).await
    }

    /// Pushes to bob as an app user who may.
    pub(crate) async fn push_as(&self, user: &str, notification: Value) -> Answer {
        let request = self.request(Method::POST, "/v1/notifications").bearer_auth(self.push_token(user));
        send(request.json(&json!({"user_ids": ["bob"], "notification": notification}))).await
    }

    pub(crate) async fn push_body(&self, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, "/v1/notifications").bearer_auth(API_KEY).body(body)).await
    }

    /// Pushes this many notifications, `n1` first.
    pub(crate) async fn fill(&self, user: &str, count: usize) {
        for index in 1..=count {
            let answer = self.push(&[user], json!({"id": format!("n{index}"), "content": "hello"})).await;
            assert_eq!(answer.status, 201, "{answer:?}");
        }
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
    Answer { status, headers, body }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the status and the slug of the problem.
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status);
        let kind = self.body["type"].as_str().unwrap();
        (self.status, kind.strip_prefix("urn:internal-notifications:").unwrap())
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        let notifications = self.body["notifications"].as_array().unwrap();
        notifications.iter().map(|notification| notification["id"].as_str().unwrap()).collect()
    }
}
