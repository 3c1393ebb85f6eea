//! A node with a host application's parts, nested in the application's router.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use internal_notifications_models::{NotificationId, UserId};
use internal_notifications_server::auth::{AuthError, Authenticator, Policy, Refusal};
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_server::{Clock, Config, ErrorKind, IdGenerator, Limits, Node, Principal, serve};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tracing::Level;

use crate::app::{Answer, send};
use crate::log::Log;

/// The host application's own login: the bearer token is the name of the user, and one name makes
/// it panic.
struct Login;

#[async_trait]
impl Authenticator for Login {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        match bearer {
            "breaker" => panic!("a secret of the login"),
            "later" => Err(AuthError::Unavailable("the session store is down".to_owned())),
            name => {
                let id = name.parse().map_err(|_| AuthError::Unauthenticated("no such session".into()))?;
                Ok(Principal::user(id))
            }
        }
    }
}

/// Lets users push to each other if their names have the same initial.
struct SameInitial;

#[async_trait]
impl Policy for SameInitial {
    async fn may_push_to(&self, caller: &Principal, user_ids: &[UserId]) -> Result<(), Refusal> {
        let initial = |id: &UserId| id.as_str().chars().next();
        if user_ids.iter().any(|user| user.as_str() == "undecided") {
            return Err(Refusal::Unavailable("the friends of undecided are unknown".to_owned()));
        }
        match caller.user_id() {
            Some(user) if user_ids.iter().all(|other| initial(other) == initial(user)) => Ok(()),
            _ => Err(Refusal::Forbidden("only users with the same initial are friends".to_owned())),
        }
    }

    async fn may_use_id(&self, caller: &Principal, id: &NotificationId) -> Result<(), Refusal> {
        match caller.user_id() {
            Some(user) if !id.as_str().starts_with(&format!("{user}/")) => {
                Err(Refusal::Invalid("an id must begin with the user's name".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> jiff::Timestamp {
        "2030-01-02T03:04:05.678Z".parse().unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct Named;

impl IdGenerator for Named {
    fn next_id(&self) -> String {
        "made-here".to_owned()
    }
}

struct Host {
    _folder: TempDir,
    node: Option<Node>,
    url: String,
}

impl Host {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap();
        let node = Node::builder(Arc::new(store))
            .authenticator(Login)
            .policy(SameInitial)
            .clock(Stopped)
            .ids(Named)
            .start()
            .await
            .unwrap();
        let router = Router::new().nest("/inbox", node.router());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/inbox", listener.local_addr().unwrap());
        tokio::spawn(
            async move { serve(listener, router, &Limits::default(), std::future::pending()).await },
        );
        Self { _folder: folder, node: Some(node), url }
    }

    async fn ask(&self, method: Method, user: &str, path: &str, body: &str) -> Answer {
        let http = pusher_client::Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
        let request = http.request(method, format!("{}{path}", self.url));
        send(request.bearer_auth(user).body(body.to_owned())).await
    }
}

#[tokio::test]
async fn a_node_uses_the_hosts_login_policy_clock_and_ids() {
    let host = Host::start().await;
    let push = |to: &str| json!({"user_ids": [to], "notification": {"content": "hi"}}).to_string();
    let rejected = host.ask(Method::POST, "ada", "/v1/notifications", &push("bob")).await;
    assert_eq!(rejected.problem(), (403, "forbidden"));
    assert_eq!(rejected.body["detail"], "only users with the same initial are friends");
    let undecided = host.ask(Method::POST, "ada", "/v1/notifications", &push("undecided")).await;
    assert_eq!((undecided.problem(), undecided.header("retry-after")), ((503, "unavailable"), "1"));
    assert!(!undecided.body.to_string().contains("friends"), "{undecided:?}");
    let pushed = host.ask(Method::POST, "ada", "/v1/notifications", &push("amy")).await;
    assert_eq!((pushed.status, &pushed.body["id"]), (201, &json!("made-here")));
    assert_eq!(pushed.header("x-request-id"), "made-here");
    let with_id =
        |id: &str| json!({"user_ids": ["amy"], "notification": {"id": id, "content": "hi"}}).to_string();
    let own = host.ask(Method::POST, "ada", "/v1/notifications", &with_id("ada/1")).await;
    assert_eq!((own.status, &own.body["id"]), (201, &json!("ada/1")));
    let foreign = host.ask(Method::POST, "ada", "/v1/notifications", &with_id("order-1815")).await;
    assert_eq!(foreign.problem(), (422, "invalid"));
    assert_eq!(foreign.body["detail"], "an id must begin with the user's name");
    let inbox = host.ask(Method::GET, "amy", "/v1/inbox", "").await;
    let notification = &inbox.body["notifications"][1];
    assert_eq!(notification["created_at"], "2030-01-02T03:04:05.678Z");
    assert_eq!(notification["sender"], "user:ada");
    assert_eq!(host.ask(Method::GET, "a b", "/v1/inbox", "").await.problem(), (401, "unauthenticated"));
    let later = host.ask(Method::GET, "later", "/v1/inbox", "").await;
    assert_eq!((later.problem(), later.header("retry-after")), ((503, "unavailable"), "1"));
    assert!(!later.body.to_string().contains("session store"));
}

#[tokio::test]
async fn a_panic_fails_only_its_own_request() {
    let host = Host::start().await;
    let broken = host.ask(Method::GET, "breaker", "/v1/inbox", "").await;
    assert_eq!(broken.problem(), (500, "internal"));
    assert!(!broken.body.to_string().contains("secret"), "{broken:?}");
    assert_eq!(broken.header("x-request-id"), "made-here");
    assert_eq!(host.ask(Method::GET, "ada", "/v1/inbox", "").await.status, 200);
}

#[tokio::test]
async fn a_router_that_outlives_its_node_refuses_changes() {
    let mut host = Host::start().await;
    let (log, _guard) = Log::capture(Level::WARN);
    drop(host.node.take());
    assert_eq!(log.lines("without a shutdown").len(), 1);
    let push = json!({"user_ids": ["amy"], "notification": {"content": "hi"}}).to_string();
    let unavailable = (503, "unavailable");
    assert_eq!(host.ask(Method::POST, "ada", "/v1/notifications", &push).await.problem(), unavailable);
    let mark = r#"{"all": true}"#;
    assert_eq!(host.ask(Method::POST, "ada", "/v1/inbox/opened", mark).await.problem(), unavailable);
    assert_eq!(host.ask(Method::GET, "ada", "/health/ready", "").await.problem(), unavailable);
    assert_eq!(host.ask(Method::GET, "amy", "/v1/inbox", "").await.ids(), [""; 0]);
}

#[tokio::test]
async fn a_node_refuses_a_setting_out_of_bounds() {
    let config = Config::new().with_position_check_seconds(0);
    let store = MemoryStore::open(MemoryData::new(Arc::new(Stopped)), MemoryOptions::default());
    let node = Node::builder(Arc::new(store)).config(config).authenticator(Login);
    assert_eq!(node.start().await.unwrap_err().kind(), ErrorKind::Configuration);
}
