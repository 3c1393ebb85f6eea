//! A test double of the HTTP API. It rejects unsigned requests, records the calls, and answers as
//! in Pusher's reference.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use pusher_client::Signer;

/// Method, path, query parameters other than those of the signature, and body.
pub(crate) type Call = (String, String, Vec<(String, String)>, String);

pub(crate) struct ChannelsServer {
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Double {
    signer: Signer,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl ChannelsServer {
    pub(crate) async fn start(signer: Signer) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(answer).with_state(Double { signer, calls: calls.clone() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, calls, task }
    }

    /// Removes and returns the calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Drop for ChannelsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(double): State<Double>, request: Request) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap();
    let pairs: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    let path = parts.uri.path();
    let signed = pusher_signer::Request::new(parts.method.as_str(), path)
        .with_query(&pairs)
        .with_body((parts.method == Method::POST).then_some(&body[..]));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    if let Err(error) = double.signer.verify_request(&signed, now) {
        return (StatusCode::UNAUTHORIZED, error.to_string());
    }
    if parts.method == Method::POST {
        assert_eq!(parts.headers["content-type"], "application/json");
    }
    let own: Vec<_> =
        query.iter().filter(|(name, _)| !name.starts_with("auth_") && name != "body_md5").cloned().collect();
    let text = String::from_utf8(body.to_vec()).unwrap();
    double.calls.lock().unwrap().push((parts.method.to_string(), path.to_owned(), own, text.clone()));
    let info = text.contains(r#""info":"#);
    let answer = match path.strip_prefix("/apps/17/").unwrap_or_default() {
        "events" if info => {
            r#"{"channels":{"presence-foobar":{"user_count":42,"subscription_count":51},"another":{}}}"#
        }
        "batch_events" if info => r#"{"batch":[{"user_count":42,"subscription_count":51},{}]}"#,
        "events" | "batch_events" => "{}",
        "channels" => {
            r#"{"channels":{"presence-foobar":{"user_count":42},"presence-another":{"user_count":123}}}"#
        }
        "channels/presence-foobar" => r#"{"occupied":true,"user_count":42,"subscription_count":42}"#,
        "channels/cache-news" => r#"{"occupied":false,"cache":{"data":"{\"n\":1}","ttl":1700}}"#,
        "channels/cache-empty" => r#"{"occupied":true,"cache":null}"#,
        "channels/a=@,.;b" | "channels/%23server-to-user-42" => r#"{"occupied":true}"#,
        "channels/presence-foobar/users" => r#"{"users":[{"id":"1"},{"id":2}]}"#,
        "users/42/terminate_connections" => "{}",
        "channels/presence-odd/users" => r#"{"users":"many"}"#,
        _ => return (StatusCode::NOT_FOUND, String::new()),
    };
    (StatusCode::OK, answer.to_owned())
}
