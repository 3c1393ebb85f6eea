use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use pusher_broker::Broker;

use crate::metrics::broker_registry;

/// Returns the routes of a broker that runs by itself: its own, `GET /health`, and `GET /metrics`
/// for Prometheus. Neither needs a credential, and the metrics contain only numbers.
pub fn broker_router(broker: &Broker) -> Router {
    let registry = std::sync::Arc::new(broker_registry(broker.clone()));
    let metrics = async move || {
        let mut text = String::new();
        if let Err(error) = prometheus_text::encode(&mut text, &registry) {
            tracing::error!(%error, "the metrics cannot be encoded");
        }
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
    };
    let health = async || ([(CONTENT_TYPE, "application/json")], r#"{"status":"live"}"#);
    broker.router().route("/health", get(health)).route("/metrics", get(metrics))
}
