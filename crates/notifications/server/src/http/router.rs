use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::problem::{ApiError, Kind};
use super::{App, cors, frame, hosts, panics, routes};

/// The routes of an app, to serve alone or to nest in a router of one's own.
pub fn build_router(app: App) -> Router {
    let broker = app.broker.as_ref().map(pusher_broker::Broker::router);
    let app = Arc::new(app);
    let routes = Router::new()
        .route("/pusher/auth", post(routes::channel_auth))
        .route("/pusher/authorize", post(routes::channel_auth))
        .route("/broadcasting/auth", post(routes::channel_auth))
        .route("/pusher/user-auth", post(routes::user_auth))
        .route("/broadcasting/user-auth", post(routes::user_auth))
        .route("/v1/users/{id}/connections", delete(routes::close_connections))
        .route("/v1/realtime", get(routes::realtime))
        .route("/v1/notifications", post(routes::push))
        .route("/v1/notifications/{id}", delete(routes::retract))
        .route("/v1/inbox", get(routes::page))
        .route("/v1/inbox/notifications/{id}", get(routes::notification).delete(routes::remove))
        .route("/v1/inbox/changes", get(routes::changes))
        .route("/v1/inbox/head", get(routes::head))
        .route("/v1/inbox/opened", post(routes::opened))
        .route("/v1/inbox/unopened", post(routes::unopened))
        .route("/health/live", get(routes::live))
        .route("/health/ready", get(routes::ready))
        .route("/metrics", get(routes::metrics))
        .with_state(app.clone());
    // The layer added last is the first that a request meets.
    let routes = routes
        .merge(broker.unwrap_or_default())
        .fallback(|| async { ApiError::bare(Kind::NoSuchRoute) })
        .method_not_allowed_fallback(|| async { ApiError::bare(Kind::MethodNotAllowed) })
        .layer(CatchPanicLayer::custom(panics::answer));
    let routes = match app.origins.is_empty() {
        true => routes,
        false => routes.layer(cors::layer(&app.origins)),
    };
    routes.layer(from_fn_with_state(app.clone(), hosts::check)).layer(from_fn_with_state(app, frame::frame))
}
