use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use pusher_broker::Apps;

use crate::metrics;

/// Returns the routes of a broker that runs by itself: those of its apps, `GET /health`, and
/// `GET /metrics` for Prometheus. Neither needs a credential, and the metrics contain only numbers
/// and, if there are several apps, their ids.
pub fn broker_router(apps: &Apps) -> Router {
    let measured = apps.clone();
    let metrics = async move || ([(CONTENT_TYPE, metrics::TEXT)], metrics::broker_text(&measured));
    let health = async || ([(CONTENT_TYPE, "application/json")], r#"{"status":"live"}"#);
    apps.router().route("/health", get(health)).route("/metrics", get(metrics))
}
