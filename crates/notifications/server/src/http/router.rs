use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::middleware::{cors, panics, surround::Surround};
use super::problem::{ApiError, Kind};
use super::routes::{channel_auth, connections, health, metrics, push, read, retract, user_auth, write};
use super::{AppState, openapi, page};

/// Returns all routes with their middleware.
pub(crate) fn build_router(app: AppState) -> Router {
    let broker = app.realtime.broker.as_ref().map(pusher_broker::Broker::router);
    let app = Arc::new(app);
    let (routes, openapi) = described(&app).split_for_parts();
    let routes = routes
        .with_state(app.clone())
        .merge(openapi::route(openapi))
        .merge(page::routes(&app.realtime.client_address));
    let routes = routes
        .merge(broker.unwrap_or_default())
        .fallback(|| async { ApiError::bare(Kind::NoSuchRoute) })
        .method_not_allowed_fallback(|| async { ApiError::bare(Kind::MethodNotAllowed) });
    // The layer added last sees a request first.
    let routes = match app.config.cors_origins.is_empty() {
        true => routes,
        // A front end may read the answer to a panic, too.
        false => {
            routes.layer(CatchPanicLayer::custom(panics::answer)).layer(cors::layer(&app.config.cors_origins))
        }
    };
    routes.layer(Surround(app))
}

/// Returns the routes, each with its OpenAPI description.
fn described(app: &AppState) -> OpenApiRouter<Arc<AppState>> {
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
    if app.realtime.broker.is_some() {
        openapi::describe_broker(openapi);
    }
    router
}
