use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use pusher_signer::{ReceivedWebhook, WebhookEvent, WebhookReceiver};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use crate::engine::{APP_ID, APP_KEY, APP_SECRET, signer};

struct Running {
    process: Child,
    webhooks: JoinHandle<()>,
    _config: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.webhooks.abort();
    }
}

/// Starts sockudo with the same settings as the broker, and returns its port. Its webhook events go
/// to `sender`.
pub(crate) async fn start(sender: UnboundedSender<WebhookEvent>) -> (u16, Box<dyn Send>) {
    let (receiver, webhooks) = receive(sender).await;
    // sockudo does not report its port, so a free one is chosen here.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    std::fs::write(&config, configuration(port, &receiver).to_string()).unwrap();
    let program = std::env::var_os("SOCKUDO_BIN").unwrap_or_else(|| "sockudo".into());
    let process = Command::new(&program)
        .arg("--config")
        .arg(&config)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|why| panic!("cannot start {program:?}: {why}"));
    let mut running = Running { process, webhooks, _config: folder };
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(running.process.try_wait().unwrap().is_none(), "sockudo ended before it listened");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (port, Box::new(running))
}

/// Receives webhooks, and returns their URL.
async fn receive(sender: UnboundedSender<WebhookEvent>) -> (String, JoinHandle<()>) {
    let take = async move |headers: HeaderMap, body: Bytes| {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let received = ReceivedWebhook::new(&body)
            .with_content_type(header("content-type"))
            .with_key(header("x-pusher-key"))
            .with_signature(header("x-pusher-signature"));
        match WebhookReceiver::new(signer()).receive(&received, 0) {
            Err(_) => StatusCode::BAD_REQUEST,
            Ok(webhook) => {
                webhook.events.into_iter().for_each(|event| drop(sender.send(event)));
                StatusCode::OK
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let router = Router::new().route("/webhooks", post(take));
    (url, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

/// Returns a configuration with one app, the features that our broker has enabled, and Pusher's
/// limits. Only webhooks leave the process.
fn configuration(port: u16, webhooks: &str) -> Value {
    let event_types = [
        "channel_occupied",
        "channel_vacated",
        "member_added",
        "member_removed",
        "client_event",
        "cache_miss",
        "subscription_count",
    ];
    json!({
        "host": "127.0.0.1",
        "port": port,
        "metrics": {"enabled": false},
        "queue": {"driver": "memory"},
        "rate_limiter": {"enabled": false},
        "shutdown_grace_period": 0,
        "webhooks": {"batching": {"enabled": false}},
        "channel_limits": {"cache_ttl": 30 * 60},
        "app_manager": {"driver": "memory", "array": {"apps": [{
            "id": APP_ID,
            "key": APP_KEY,
            "secret": APP_SECRET,
            "enabled": true,
            "policy": {
                "limits": {
                    "max_connections": 1000,
                    "max_client_events_per_second": 10,
                    "max_event_payload_in_kb": 10,
                },
                "features": {
                    "enable_client_messages": true,
                    "enable_user_authentication": true,
                    "enable_watchlist_events": true,
                },
                "webhooks": [{"url": webhooks, "event_types": event_types}],
            },
        }]}},
    })
}
