use internal_notifications_service::with_causes;
use pusher_broker::{Builder, Webhook, WebhookDestination, WebhookError};
use pusher_client::Roots;

use crate::config::{InvalidWebhook, WebhookConfig};

impl WebhookConfig {
    /// Makes a broker send webhooks to this destination.
    ///
    /// # Errors
    /// Returns [`InvalidWebhook`] if the URL or a header is malformed.
    pub fn add_to(&self, builder: Builder) -> Result<Builder, InvalidWebhook> {
        let (url, headers) = (self.url.clone(), self.headers.clone());
        let client =
            Roots::new().http_client(host(&url)).map_err(|error| unusable(&url, &with_causes(&error)))?;
        let client = client.build().map_err(|error| unusable(&url, &with_causes(&error)))?;
        let post = move |url: &str| {
            headers.iter().fold(client.post(url), |request, (name, value)| request.header(name, value))
        };
        post(&url).build().map_err(|_| unusable(&url, "it or a header is malformed"))?;
        let send = move |webhook: Webhook| {
            let headers = webhook.headers().into_iter();
            let request = headers.fold(post(&url), |request, (name, value)| request.header(name, value));
            let request = request.body(webhook.body().to_owned());
            async move {
                let response = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
                match response.status() {
                    status if status.is_success() => Ok::<(), WebhookError>(()),
                    status => Err(WebhookError::from_status(status.as_u16())),
                }
            }
        };
        let destination =
            WebhookDestination::new(send).kinds(self.kinds()).channel_prefix(self.channel_prefix());
        Ok(builder.webhook_to(destination))
    }
}

fn unusable(url: &str, why: &str) -> InvalidWebhook {
    InvalidWebhook(format!("{url:?} is not a valid webhook URL: {why}"))
}

/// Returns the host of a URL, which decides whether a proxy is used.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    match address.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => address.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_a_url() {
        for (url, expected) in [
            ("http://127.0.0.1:80/a", "127.0.0.1"),
            ("https://[::1]:80?x", "::1"),
            ("https://a:b@app.example", "app.example"),
            ("http://localhost#x", "localhost"),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
