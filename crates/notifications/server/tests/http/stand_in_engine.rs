//! A Channels engine over HTTP that answers as told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use internal_notifications_server::axum;
use serde_json::Value;

pub(crate) struct StandInEngine {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<Answers>>,
}

#[derive(Default)]
struct Answers {
    /// The answer to every request, instead of success.
    to_all: Option<Answer>,
    /// The answer to requests with events of this channel.
    to_channel: BTreeMap<String, Answer>,
    /// The sizes of the batches that were accepted.
    batches: Vec<usize>,
    /// The seqs of each channel's accepted events.
    published: BTreeMap<String, Vec<u64>>,
    rejected: usize,
}

/// A status and a body.
pub(crate) type Answer = (u16, &'static str);

impl StandInEngine {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(Answers::default()));
        let router = axum::Router::new().fallback(answer).with_state(state.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(crate) fn answer_all(&self, answer: Option<Answer>) {
        self.state.lock().unwrap().to_all = answer;
    }

    pub(crate) fn answer_channel(&self, channel: &str, answer: Answer) {
        self.state.lock().unwrap().to_channel.insert(channel.to_owned(), answer);
    }

    pub(crate) fn published(&self, channel: &str) -> Vec<u64> {
        self.state.lock().unwrap().published.get(channel).cloned().unwrap_or_default()
    }

    pub(crate) fn batches(&self) -> Vec<usize> {
        self.state.lock().unwrap().batches.clone()
    }

    pub(crate) fn rejected(&self) -> usize {
        self.state.lock().unwrap().rejected
    }
}

async fn answer(State(state): State<Arc<Mutex<Answers>>>, body: Bytes) -> Response {
    let mut state = state.lock().unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let events = body["batch"].as_array().unwrap();
    let channel = |event: &Value| event["channel"].as_str().unwrap().to_owned();
    let of_channel = events.iter().find_map(|event| state.to_channel.get(&channel(event)));
    if let Some((status, text)) = state.to_all.or(of_channel.copied()) {
        state.rejected += 1;
        return (StatusCode::from_u16(status).unwrap(), text).into_response();
    }
    state.batches.push(events.len());
    for event in events {
        let data: Value = serde_json::from_str(event["data"].as_str().unwrap()).unwrap();
        let seq = data["inbox"]["seq"].as_u64().unwrap();
        state.published.entry(channel(event)).or_default().push(seq);
    }
    "{}".into_response()
}
