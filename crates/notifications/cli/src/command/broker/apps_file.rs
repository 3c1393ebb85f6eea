use std::path::Path;

use internal_notifications_server::config::WebhookConfig;
use pusher_broker::{AllowedOrigin, Broker, Builder, Limits};
use pusher_client::Roots;
use pusher_signer::Signer;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;

/// An app. Fields are named as in the configuration of sockudo, or as those of Laravel Reverb.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    id: String,
    key: String,
    secret: String,
    #[serde(default)]
    max_connections: Option<usize>,
    #[serde(default = "any_origin")]
    allowed_origins: Vec<String>,
    #[serde(default)]
    enable_client_messages: bool,
    #[serde(default)]
    subscription_counts: bool,
    #[serde(default = "no_webhooks")]
    webhooks: Box<RawValue>,
}

fn any_origin() -> Vec<String> {
    vec!["*".to_owned()]
}

fn no_webhooks() -> Box<RawValue> {
    RawValue::from_string("[]".to_owned()).unwrap_or_default()
}

/// Reads the apps of a file. `limits` are those of each app, apart from `max_connections`.
///
/// # Errors
/// Returns an error that names the file and the app, and shows no secret.
pub(super) fn read(file: &Path, limits: &Limits, roots: &Roots) -> Result<Vec<Builder>, Error> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::usage(format!("{} cannot be read: {error}", file.display())))?;
    parse(&text, limits, roots).map_err(|problem| Error::usage(format!("{}: {problem}", file.display())))
}

fn parse(text: &str, limits: &Limits, roots: &Roots) -> Result<Vec<Builder>, String> {
    let apps: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| format!("not a JSON array of apps, {}", place(&error)))?;
    let app = |(number, text): (usize, &RawValue)| {
        // An array would pass for an object.
        if !text.get().starts_with('{') {
            return Err(format!("app {number} is not an object"));
        }
        let app: App =
            serde_json::from_str(text.get()).map_err(|error| format!("app {number}: {}", problem(&error)))?;
        let id = app.id.clone();
        builder(app, limits, roots).map_err(|problem| format!("app {number} ({id:?}): {problem}"))
    };
    (1..).zip(apps).map(app).collect()
}

fn builder(app: App, limits: &Limits, roots: &Roots) -> Result<Builder, String> {
    let is_plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !is_plain(&app.id) || !is_plain(&app.key) {
        return Err("id and key must be texts of letters, digits, `-` and `_`".to_owned());
    }
    if app.secret.is_empty() {
        return Err("the secret is empty".to_owned());
    }
    if app.max_connections == Some(0) {
        return Err("max_connections must be at least 1".to_owned());
    }
    if app.allowed_origins.is_empty() {
        return Err("allowed_origins is empty; leave it out to allow all".to_owned());
    }
    let mut limits = limits.clone();
    limits.connection_quota = app.max_connections.or(limits.connection_quota);
    let builder = Broker::builder(app.id, Signer::new(app.key, &app.secret))
        .limits(limits)
        .client_events(app.enable_client_messages)
        .subscription_counts(app.subscription_counts);
    let builder = app.allowed_origins.iter().try_fold(builder, |builder, origin| {
        let origin = origin.parse::<AllowedOrigin>();
        origin
            .map(|origin| builder.allowed_origin(origin))
            .map_err(|error| format!("allowed_origins: {error}"))
    })?;
    let webhooks = WebhookConfig::list(app.webhooks.get());
    webhooks
        .and_then(|webhooks| {
            webhooks.iter().try_fold(builder, |builder, webhook| webhook.add_to(builder, roots))
        })
        .map_err(|error| format!("webhooks: {error}"))
}

/// Describes an error by field names alone, since other text may be a secret.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match ["unknown field", "missing field", "duplicate field"].iter().any(|start| text.starts_with(start)) {
        true => text,
        false => format!("a value has the wrong type, {}", place(error)),
    }
}

fn place(error: &serde_json::Error) -> String {
    format!("at line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_its_own_settings() {
        let text = r#"[
            {"id": "1", "key": "a", "secret": "hunter2"},
            {"id": "2", "key": "b", "secret": "hunter2", "max_connections": 7, "enable_client_messages": true,
             "subscription_counts": true, "allowed_origins": ["*.b.example"],
             "webhooks": ["http://b.example", {"url": "http://c.example", "event_types": ["cache_miss"]}]}
        ]"#;
        let apps = parse(text, &Limits::default(), &Roots::new()).unwrap();
        let [one, two] = [apps.first(), apps.last()].map(|app| format!("{:?}", app.unwrap()));
        assert!(one.contains("connection_quota: None") && one.contains("client_events: false"), "{one}");
        for setting in [
            "connection_quota: Some(7)",
            "client_events: true",
            "subscription_counts: true",
            "b.example",
            "webhooks: 2",
        ] {
            assert!(two.contains(setting), "{setting} in {two}");
        }
    }

    #[test]
    fn an_error_names_the_app_and_the_field_and_no_secret() {
        let app = |more: &str| format!(r#"[{{"id": "9", "key": "a", "secret": "hunter2"{more}}}]"#);
        let text = str::to_owned;
        for (file, problem) in [
            (app(r#", "max_conections": 1"#), "app 1: unknown field `max_conections`"),
            (app(r#", "max_connections": 0"#), "app 1 (\"9\"): max_connections"),
            (app(r#", "max_connections": "hunter2""#), "app 1: a value has the wrong type"),
            (app(r#", "allowed_origins": ["https://a/x"]"#), "allowed_origins: \"https://a/x\""),
            (app(r#", "allowed_origins": []"#), "allowed_origins is empty"),
            (app(r#", "webhooks": ["ftp://a"]"#), "webhooks"),
            (app(r#", "webhooks": [{"url": "http://a", "headers": "hunter2"}]"#), "webhooks"),
            (app(r#", "id": "8""#), "duplicate field `id`"),
            (text(r#"[{"id": "9", "key": "a"}]"#), "missing field `secret`"),
            (text(r#"[{"id": "9", "key": "a", "secret": ""}]"#), "the secret is empty"),
            (text(r#"[{"id": "9/", "key": "a", "secret": "hunter2"}]"#), "letters"),
            (text(r#"[["9", "a", "hunter2", null, [], false, false, []]]"#), "app 1 is not an object"),
            (text(r#"{"id": "9", "key": "a", "secret": "hunter2"}"#), "not a JSON array"),
            (text("["), "not a JSON array of apps, at line 1"),
        ] {
            let error = parse(&file, &Limits::default(), &Roots::new()).unwrap_err();
            assert!(error.contains(problem) && !error.contains("hunter2"), "{file}: {error}");
        }
    }
}
