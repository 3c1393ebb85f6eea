use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use pusher_broker::Broker;

use crate::metrics;

/// Returns the routes of a broker that runs by itself: its own, `GET /health`, and `GET /metrics`
/// for Prometheus. Neither needs a credential, and the metrics contain only numbers.
pub fn broker_router(broker: &Broker) -> Router {
    let measured = broker.clone();
    let metrics = async move || ([(CONTENT_TYPE, metrics::TEXT)], metrics::broker_text(&measured));
    let health = async || ([(CONTENT_TYPE, "application/json")], r#"{"status":"live"}"#);
    broker.router().route("/health", get(health)).route("/metrics", get(metrics))
}
