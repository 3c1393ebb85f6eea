use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A stand-in for a Channels engine that is far away, and that may fail for one channel.
pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
    answers: Arc<Answers>,
    serving: AbortHandle,
}

struct Answers {
    delay: Duration,
    /// The channel that it answers with 503, if any.
    failing: Option<String>,
    /// When the first event of each channel was accepted.
    accepted: Mutex<HashMap<String, Instant>>,
}

#[derive(Deserialize)]
struct Batch {
    batch: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    channel: String,
}

impl Engine {
    pub(crate) async fn start(delay: Duration, failing: Option<String>) -> Self {
        let answers = Arc::new(Answers { delay, failing, accepted: Mutex::default() });
        let router = Router::new().route("/apps/{id}/batch_events", post(accept)).with_state(answers.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, answers, serving }
    }

    /// Returns the variables of a server that publishes through it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 7] {
        [
            ("INTERNAL_NOTIFICATIONS_REALTIME", "pusher".to_owned()),
            ("PUSHER_APP_ID", "1".to_owned()),
            ("PUSHER_APP_KEY", "key".to_owned()),
            ("PUSHER_APP_SECRET", "secret".to_owned()),
            ("PUSHER_HOST", self.address.ip().to_string()),
            ("PUSHER_PORT", self.address.port().to_string()),
            ("PUSHER_SCHEME", "http".to_owned()),
        ]
    }

    /// Returns when the first event of a channel was accepted.
    pub(crate) fn accepted(&self, channel: &str) -> Option<Instant> {
        self.answers.accepted.lock().unwrap_or_else(PoisonError::into_inner).get(channel).copied()
    }

    /// Returns on how many channels events were accepted.
    pub(crate) fn channels(&self) -> usize {
        self.answers.accepted.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(State(answers): State<Arc<Answers>>, Json(batch): Json<Batch>) -> (StatusCode, Json<Value>) {
    tokio::time::sleep(answers.delay).await;
    if batch.batch.iter().any(|event| answers.failing.as_ref() == Some(&event.channel)) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    let mut accepted = answers.accepted.lock().unwrap_or_else(PoisonError::into_inner);
    for event in batch.batch {
        accepted.entry(event.channel).or_insert_with(Instant::now);
    }
    (StatusCode::OK, Json(json!({})))
}
