use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{ApiError, Kind};
use super::routes::{channel_auth, connections, health, metrics, push, read, retract, user_auth, write};
use super::{App, cors, frame, hosts, openapi, page, panics};

/// The routes of an app, to serve alone or to nest in a router of one's own.
pub fn build_router(app: App) -> Router {
    let broker = app.broker.as_ref().map(pusher_broker::Broker::router);
    let app = Arc::new(app);
    let (routes, openapi) = described(&app).split_for_parts();
    let routes =
        routes.with_state(app.clone()).merge(openapi::route(openapi)).merge(page::routes(&app.access));
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

/// The routes, each with its description.
fn described(app: &App) -> OpenApiRouter<Arc<App>> {
    let mut router = OpenApiRouter::with_openapi(openapi::description())
        .routes(routes!(channel_auth::channel_auth))
        .routes(routes!(user_auth::user_auth))
        .routes(routes!(connections::close_connections))
        .routes(routes!(read::realtime))
        .routes(routes!(push::push))
        .routes(routes!(retract::retract))
        .routes(routes!(read::page))
        .routes(routes!(read::notification, write::remove))
        .routes(routes!(read::changes))
        .routes(routes!(read::head))
        .routes(routes!(write::opened))
        .routes(routes!(write::unopened))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::metrics))
        .route("/pusher/authorize", post(channel_auth::channel_auth))
        .route("/broadcasting/auth", post(channel_auth::channel_auth))
        .route("/broadcasting/user-auth", post(user_auth::user_auth));
    let openapi = router.get_openapi_mut();
    openapi::alias(openapi, "/pusher/authorize", "/pusher/auth");
    openapi::alias(openapi, "/broadcasting/auth", "/pusher/auth");
    openapi::alias(openapi, "/broadcasting/user-auth", "/pusher/user-auth");
    if app.broker.is_some() {
        openapi::describe_channels(openapi);
    }
    router
}
