//! Runs the contract tests on the service, over a real server. Each device has its own proxy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use internal_notifications_pusher::contract::{OfflinePush, ServiceError, ServiceErrorKind};
use internal_notifications_pusher::models::{InternalNotification, Receipt, UserId};
use internal_notifications_pusher::pusher_client::Roots;
use internal_notifications_pusher::{
    HttpClient, HttpMethod, HttpRequest, HttpResponse, InboxClient, PusherService,
};
use internal_notifications_testkit::server::{Proxy, TestServer};
use internal_notifications_testkit::{Connection, Device, Harness, Outcome, run_bullet};

struct RealServer {
    server: TestServer,
    backend: InboxClient,
    offline_push: OfflinePush,
}

/// The connection of a device: a proxy, and a switch that rejects the next write.
struct DeviceConnection {
    proxy: Proxy,
    rejects: Arc<AtomicBool>,
}

const WINDOW: usize = 8;
const ANNOUNCEMENTS: usize = 16;

impl RealServer {
    async fn with(offline_push: OfflinePush) -> Self {
        let server = TestServer::start().await.unwrap();
        let backend = InboxClient::new(&server.base_url(), server.api_key()).unwrap();
        Self { server, backend, offline_push }
    }
}

#[async_trait]
impl Harness for RealServer {
    async fn device(&self, user: &UserId) -> Device {
        let proxy = self.server.proxy().await.unwrap();
        let rejects = Arc::default();
        let http = RejectingClient { client: client(), rejects: Arc::clone(&rejects) };
        let service = PusherService::builder()
            .url(proxy.url())
            .user(user.clone(), self.server.token(user))
            .window(WINDOW)
            .announcement_queue(ANNOUNCEMENTS)
            .offline_push(self.offline_push)
            .http_client(http)
            .build();
        Device::new(service.unwrap()).with_connection(DeviceConnection { proxy, rejects })
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.backend.push(to, notification).await
    }

    fn offline_push(&self) -> OfflinePush {
        self.offline_push
    }

    fn window(&self) -> usize {
        WINDOW
    }

    fn announcement_queue(&self) -> usize {
        ANNOUNCEMENTS
    }

    fn timeout(&self) -> std::time::Duration {
        std::time::Duration::from_secs(60)
    }
}

#[async_trait]
impl Connection for DeviceConnection {
    async fn cut(&self) {
        self.proxy.cut().await;
    }

    async fn mend(&self) {
        self.proxy.mend();
    }

    async fn refuse_next_write(&self) -> bool {
        self.rejects.store(true, Ordering::SeqCst);
        true
    }
}

/// Sends requests, and rejects the next write if asked to.
struct RejectingClient {
    client: reqwest::Client,
    rejects: Arc<AtomicBool>,
}

fn client() -> reqwest::Client {
    Roots::new().http_client("127.0.0.1").unwrap().build().unwrap()
}

#[async_trait]
impl HttpClient for RejectingClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let is_write = request.method != HttpMethod::Get && request.url.contains("/v1/inbox/");
        let method = match request.method {
            HttpMethod::Get => reqwest::Method::GET,
            HttpMethod::Delete => reqwest::Method::DELETE,
            _ => reqwest::Method::POST,
        };
        let mut sent = self.client.request(method, &request.url).bearer_auth(request.bearer_token);
        if let Some(body) = request.body {
            sent = sent.header("content-type", body.content_type).body(body.bytes);
        }
        if is_write && self.rejects.load(Ordering::SeqCst) {
            // Rejects it only with a connection, as a server would.
            sent = self.client.get(&request.url);
            sent.send().await.map_err(unavailable)?;
            self.rejects.store(false, Ordering::SeqCst);
            return Ok(HttpResponse::new(
                403,
                r#"{"type":"urn:internal-notifications:forbidden","title":"Forbidden","status":403}"#,
            ));
        }
        let answer = sent.send().await.map_err(unavailable)?;
        let status = answer.status().as_u16();
        Ok(HttpResponse::new(status, answer.bytes().await.map_err(unavailable)?))
    }
}

fn unavailable(error: reqwest::Error) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, error.without_url().to_string())
}

internal_notifications_testkit::contract_tests!(RealServer::with(OfflinePush::Err).await);

#[tokio::test(flavor = "multi_thread")]
async fn bullet_26_holds_for_a_push_that_waits() {
    let harness = RealServer::with(OfflinePush::Wait).await;
    assert_eq!(run_bullet(26, &harness).await, Outcome::Passed);
}
