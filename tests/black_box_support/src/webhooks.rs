use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use pusher_signer::{ReceivedWebhook, Signer, WebhookEvent, WebhookReceiver};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A receiver of webhooks, which records what arrives. Ends when dropped.
pub struct Webhooks {
    /// Where it listens; every path is accepted.
    pub address: SocketAddr,
    received: Arc<Received>,
    serving: AbortHandle,
}

struct Received {
    receiver: WebhookReceiver,
    /// A webhook with an event of this channel is answered with 503.
    refused_channel: Option<String>,
    events: Mutex<Vec<(Instant, WebhookEvent)>>,
}

impl Webhooks {
    /// Starts a receiver that verifies what this signer's app sends. It refuses every webhook that
    /// reports the occupation of `refused_channel`.
    pub async fn start(signer: Signer, refused_channel: Option<&str>) -> Self {
        let received = Arc::new(Received {
            receiver: WebhookReceiver::new(signer),
            refused_channel: refused_channel.map(str::to_owned),
            events: Mutex::default(),
        });
        let router = Router::new().route("/", post(receive)).with_state(received.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, received, serving }
    }

    /// Returns all accepted events in the order of their arrival, with its time.
    pub fn events(&self) -> MutexGuard<'_, Vec<(Instant, WebhookEvent)>> {
        self.received.events()
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Received {
    fn events(&self) -> MutexGuard<'_, Vec<(Instant, WebhookEvent)>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_refused(&self, event: &WebhookEvent) -> bool {
        matches!(event, WebhookEvent::ChannelOccupied { channel } if self.refused_channel.as_ref() == Some(channel))
    }
}

async fn receive(State(received): State<Arc<Received>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let webhook = ReceivedWebhook::new(&body)
        .with_content_type(header("content-type"))
        .with_key(header("x-pusher-key"))
        .with_signature(header("x-pusher-signature"));
    let Ok(webhook) = received.receiver.receive(&webhook, 0) else { return StatusCode::UNAUTHORIZED };
    if webhook.events.iter().any(|event| received.is_refused(event)) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let now = Instant::now();
    received.events().extend(webhook.events.into_iter().map(|event| (now, event)));
    StatusCode::OK
}
