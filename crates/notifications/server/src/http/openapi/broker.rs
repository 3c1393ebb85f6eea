//! The routes of the embedded broker. They are Pusher's, so the broker does not describe them.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, ObjectBuilder, OpenApi, PathItem, Required, ResponseBuilder,
    SecurityRequirement, Type,
};

const SIGNATURE: &str = "signature";

/// Method, path, summary and status of a success.
const ROUTES: [(HttpMethod, &str, &str, &str); 7] = [
    (HttpMethod::Get, "/app/{key}", "Opens a WebSocket of Pusher Channels, protocol 7", "101"),
    (HttpMethod::Post, "/apps/{id}/events", "Publishes an event on channels", "200"),
    (HttpMethod::Post, "/apps/{id}/batch_events", "Publishes up to ten events", "200"),
    (HttpMethod::Get, "/apps/{id}/channels", "Lists the occupied channels", "200"),
    (HttpMethod::Get, "/apps/{id}/channels/{name}", "Returns one channel", "200"),
    (HttpMethod::Get, "/apps/{id}/channels/{name}/users", "Lists the members of a presence channel", "200"),
    (HttpMethod::Post, "/apps/{id}/users/{user}/terminate_connections", "Closes a user's connections", "200"),
];

/// Adds the routes of the embedded broker.
pub(in crate::http) fn describe_broker(openapi: &mut OpenApi) {
    let signed =
        "Pusher's request signature: auth_key, auth_timestamp, auth_version, auth_signature, body_md5";
    let scheme = ApiKey::Query(ApiKeyValue::with_description("auth_signature", signed));
    let components = openapi.components.get_or_insert_with(Components::new);
    components.add_security_scheme(SIGNATURE, SecurityScheme::ApiKey(scheme));
    for (method, path, summary, success) in ROUTES {
        let item = PathItem::new(method, operation(path, summary, success));
        openapi.paths.paths.insert(path.to_owned(), item);
    }
}

fn operation(path: &str, summary: &str, success: &str) -> OperationBuilder {
    let operation = OperationBuilder::new()
        .tag("Channels")
        .summary(Some(summary))
        .operation_id(Some(path.trim_matches('/').replace(['/', '{', '}'], "_")))
        .response(success, ResponseBuilder::new().description("As in Pusher's documentation."))
        .response("default", plain("An error text, as Pusher answers it."));
    let operation = path.split('/').filter_map(name_of).fold(operation, |operation, name| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(text)),
        )
    });
    match path.starts_with("/apps/") {
        true => operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(SIGNATURE, [])),
        false => operation,
    }
}

fn name_of(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn plain(description: &str) -> ResponseBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    ResponseBuilder::new()
        .description(description)
        .content("text/plain; charset=utf-8", ContentBuilder::new().schema(Some(text)).build())
}
