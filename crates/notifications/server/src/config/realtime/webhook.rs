use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use pusher_broker::WebhookKind;
use pusher_protocol::Object;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::webhook_url::redacted;

/// A destination of the embedded broker's webhooks, read from a URL or from a JSON object like that
/// of soketi:
///
/// ```
/// use internal_notifications_server::config::WebhookConfig;
///
/// let rooms: WebhookConfig = r#"{
///     "url": "https://app.example/webhooks",
///     "event_types": ["member_added", "member_removed"],
///     "filter": {"channel_name_starts_with": "presence-room-"},
///     "headers": {"Authorization": "Bearer secret"}
/// }"#.parse()?;
/// let everything: WebhookConfig = "https://app.example/webhooks".parse()?;
/// # Ok::<(), internal_notifications_server::config::InvalidWebhook>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    pub(crate) url: String,
    #[serde(default)]
    event_types: Option<Vec<Kind>>,
    #[serde(default)]
    filter: Object<ChannelFilter>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
}

/// Why a destination of webhooks cannot be used. Its text shows no header, and of the URL, which
/// may contain a secret too, only scheme and host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidWebhook(pub(crate) String);

impl InvalidWebhook {
    /// Returns the error for a URL.
    pub(crate) fn url(url: &str, why: &str) -> Self {
        Self(format!("{:?} is not a valid webhook URL: {why}", redacted(url)))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Kind(WebhookKind);

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelFilter {
    #[serde(default)]
    channel_name_starts_with: String,
}

/// The headers that the broker sets.
const RESERVED: [&str; 3] = ["content-type", "x-pusher-key", "x-pusher-signature"];

impl WebhookConfig {
    /// Reads destinations from a JSON array of such objects and URLs.
    ///
    /// # Errors
    /// Returns an error that names the item.
    pub fn list(text: &str) -> Result<Vec<Self>, InvalidWebhook> {
        let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let item = |(index, item): (usize, &RawValue)| {
            let webhook = match serde_json::from_str::<String>(item.get()) {
                Ok(url) => url.parse(),
                Err(_) => item.get().parse(),
            };
            webhook.map_err(|InvalidWebhook(text)| InvalidWebhook(format!("webhook {}: {text}", index + 1)))
        };
        items.into_iter().enumerate().map(item).collect()
    }

    /// Returns the kinds of events to send.
    pub(crate) fn kinds(&self) -> Vec<WebhookKind> {
        let kinds = self.event_types.as_ref();
        kinds.map_or(WebhookKind::ALL.to_vec(), |kinds| kinds.iter().map(|kind| kind.0).collect())
    }

    /// Returns how the names of the channels begin whose events are sent.
    pub(crate) fn channel_prefix(&self) -> &str {
        &self.filter.0.channel_name_starts_with
    }

    fn check(self) -> Result<Self, InvalidWebhook> {
        let Self { url, event_types, headers, .. } = &self;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(InvalidWebhook::url(url, "it must begin with https:// or http://"));
        }
        if let Some(name) = headers.keys().find(|name| RESERVED.contains(&name.to_ascii_lowercase().as_str()))
        {
            return Err(InvalidWebhook(format!("the broker sets the webhook header {name} itself")));
        }
        if event_types.as_ref().is_some_and(Vec::is_empty) {
            let text = "event_types is empty, so nothing would be sent: name some, or leave it out for all";
            return Err(InvalidWebhook(text.to_owned()));
        }
        Ok(self)
    }
}

impl FromStr for WebhookConfig {
    type Err = InvalidWebhook;

    fn from_str(text: &str) -> Result<Self, InvalidWebhook> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str::<Self>(text).map_err(|error| malformed(&error))?.check();
        }
        let (event_types, filter, headers) = (None, Object::default(), BTreeMap::new());
        Self { url: text.to_owned(), event_types, filter, headers }.check()
    }
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("kinds", &self.kinds())
            .field("channel_prefix", &self.channel_prefix())
            .finish_non_exhaustive()
    }
}

impl TryFrom<String> for Kind {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        WebhookKind::from_name(&name).map(Self).ok_or("unknown event type")
    }
}

/// Names the place of the fault only, since the text around it may be a secret.
fn malformed(error: &serde_json::Error) -> InvalidWebhook {
    let (line, column) = (error.line(), error.column());
    InvalidWebhook(format!(
        "the webhook is malformed at line {line}, column {column}: it must be like \
         {{\"url\": \"https://app.example/webhooks\", \"event_types\": [\"channel_vacated\"], \
         \"filter\": {{\"channel_name_starts_with\": \"presence-\"}}, \"headers\": {{\"X-Name\": \"value\"}}}}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_kinds_a_prefix_and_headers() {
        let text = r#" {"url": "https://a.example", "event_types": ["cache_miss"],
            "filter": {"channel_name_starts_with": "cache-"}, "headers": {"X-A": "hunter2"}}"#;
        let webhook: WebhookConfig = text.parse().unwrap();
        assert_eq!((webhook.kinds(), webhook.channel_prefix()), (vec![WebhookKind::CacheMiss], "cache-"));
        assert_eq!(webhook.headers.get("X-A").map(String::as_str), Some("hunter2"));
        assert!(!format!("{webhook:?}").contains("hunter2"));
    }

    #[test]
    fn a_list_has_urls_and_objects() {
        let list = WebhookConfig::list(r#"["http://a", {"url": "http://b"}]"#).unwrap();
        let urls: Vec<_> = list.iter().map(|webhook| webhook.url.as_str()).collect();
        assert_eq!(urls, ["http://a", "http://b"]);
        assert_eq!(list[1].kinds(), WebhookKind::ALL);
    }

    #[test]
    fn an_error_of_a_list_names_the_item() {
        for (item, reason) in [
            (r#"{"url": "http://b", "filter": ["presence-"]}"#, "line 1, column 30"),
            (r#"{"url": "http://b", "event_types": []}"#, "event_types is empty"),
            (r#""b""#, "https://"),
            ("[]", "not a valid webhook URL"),
        ] {
            let error = WebhookConfig::list(&format!(r#"["http://a", {item}]"#)).unwrap_err().to_string();
            assert!(error.starts_with("webhook 2: ") && error.contains(reason), "{item}: {error}");
        }
    }

    #[test]
    fn an_error_shows_neither_headers_nor_the_url() {
        for text in [
            r#"{"url": "http://a", "headers": {"A": "hunter2", "B": 1}}"#,
            r#"{"url": "http://a", "headers": "hunter2"}"#,
            r#"{"url": "http://a", "headers": {"X-Pusher-Key": "hunter2"}}"#,
            r#"{"url": "http://a", "event_types": ["hunter2"]}"#,
            r#"{"url": "http://a", "hunter2": 1}"#,
            r#"{"url": "http://a", "headers": {"A": "hunter2"}"#,
            // Taken for a URL.
            r#"[{"url": "http://a", "headers": {"A": "hunter2"}}]"#,
            r#""ftp://user:hunter2@a""#,
        ] {
            let error = text.parse::<WebhookConfig>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(WebhookConfig::list(&format!("[{text}]")).is_err());
        }
    }
}
