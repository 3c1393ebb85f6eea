//! `/openapi.json`: the OpenAPI description of the routes.

mod broker;
mod responses;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, PathItem, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

pub(super) use broker::describe_broker;
pub(super) use responses::{ChannelSignature, NotFound, Rejected, Unavailable, UserSignature};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "internal-notifications",
        description = "Reliable in-app notifications: every change of an inbox is stored, numbered and published over Pusher Channels, and clients catch up on what they missed. Errors are problem details (RFC 9457)."
    ),
    tags(
        (name = "Inbox", description = "The caller's own inbox."),
        (name = "Pushing", description = "Pushing notifications to users."),
        (name = "Channels", description = "Live events: authorization of channels, and the embedded Channels broker."),
        (name = "Operation", description = "Health checks, metrics and this description."),
    ),
    modifiers(&Security),
)]
struct Description;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut OpenApi) {
        let bearer = |text: &str| {
            let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text));
            SecurityScheme::Http(http.build())
        };
        let components = openapi.components.get_or_insert_with(Components::new);
        components.add_security_scheme("token", bearer("An app user's token (JWT)"));
        components.add_security_scheme("api_key", bearer("A backend's API key"));
    }
}

/// Returns the description without routes, which each add their own.
pub(super) fn description() -> OpenApi {
    Description::openapi()
}

/// Describes a route under a second path.
pub(super) fn alias(openapi: &mut OpenApi, path: &str, of: &str) {
    let paths = &mut openapi.paths.paths;
    if let Some(mut item) = paths.get(of).cloned() {
        // Operation ids must be unique.
        if let Some(operation) = &mut item.post {
            operation.operation_id = Some(path.trim_matches('/').replace(['/', '-'], "_"));
        }
        paths.insert(path.to_owned(), item);
    }
}

/// Returns the route that serves the description, which includes this route.
pub(super) fn route(mut openapi: OpenApi) -> Router {
    const PATH: &str = "/openapi.json";
    let itself = OperationBuilder::new()
        .tag("Operation")
        .summary(Some("Returns this description"))
        .operation_id(Some("openapi"))
        .response("200", ResponseBuilder::new().description("OpenAPI 3.1."));
    openapi.paths.paths.insert(PATH.to_owned(), PathItem::new(HttpMethod::Get, itself));
    // Strings, numbers and maps with string keys always serialize.
    let json: axum::body::Bytes = openapi.to_json().unwrap_or_default().into();
    Router::new().route(PATH, get(|| async move { ([(CONTENT_TYPE, "application/json")], json) }))
}
