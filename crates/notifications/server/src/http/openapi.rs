//! `/openapi.json`: what the routes say of themselves.

mod answers;
mod channels;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, PathItem, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

pub(super) use answers::{Failed, NotFound, Refused, Signed, SignedIn};
pub(super) use channels::describe_channels;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "internal-notifications",
        description = "In-app notifications: stored first, numbered, live over Pusher Channels, and caught up. Errors are RFC 9457 problems."
    ),
    tags(
        (name = "Inbox", description = "The caller's own."),
        (name = "Pushing", description = "To users."),
        (name = "Channels", description = "Live events: authorization, and the embedded engine."),
        (name = "Operation", description = "Health, numbers and this description."),
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
        components.add_security_scheme("token", bearer("An app user's JWT"));
        components.add_security_scheme("api_key", bearer("A backend's API key"));
    }
}

/// The description without routes; each brings its own.
pub(super) fn description() -> OpenApi {
    Description::openapi()
}

/// Tells a route under another path, too.
pub(super) fn alias(openapi: &mut OpenApi, path: &str, of: &str) {
    let paths = &mut openapi.paths.paths;
    if let Some(mut item) = paths.get(of).cloned() {
        // Operations' ids are unique.
        if let Some(operation) = &mut item.post {
            operation.operation_id = Some(path.trim_matches('/').replace(['/', '-'], "_"));
        }
        paths.insert(path.to_owned(), item);
    }
}

/// The route that answers with the description, itself included.
pub(super) fn route(mut openapi: OpenApi) -> Router {
    const PATH: &str = "/openapi.json";
    let itself = OperationBuilder::new()
        .tag("Operation")
        .summary(Some("This description"))
        .operation_id(Some("openapi"))
        .response("200", ResponseBuilder::new().description("OpenAPI 3.1."));
    openapi.paths.paths.insert(PATH.to_owned(), PathItem::new(HttpMethod::Get, itself));
    // Strings, numbers and maps of strings cannot fail to become JSON.
    let json: axum::body::Bytes = openapi.to_json().unwrap_or_default().into();
    Router::new().route(PATH, get(|| async move { ([(CONTENT_TYPE, "application/json")], json) }))
}
