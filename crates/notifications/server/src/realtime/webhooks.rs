use internal_notifications_service::with_causes;
use pusher_broker::{Builder, Webhook, WebhookDestination, WebhookError};
use pusher_client::{Roots, http_error};

use crate::config::{InvalidWebhook, WebhookConfig, webhook_host};

impl WebhookConfig {
    /// Makes a broker send webhooks to this destination, whose certificate is verified by `roots`.
    ///
    /// # Errors
    /// Returns [`InvalidWebhook`] if the URL or a header is malformed, or certificates cannot be
    /// loaded.
    pub fn add_to(&self, builder: Builder, roots: &Roots) -> Result<Builder, InvalidWebhook> {
        let (url, headers) = (self.url.clone(), self.headers.clone());
        let client = roots
            .http_client(webhook_host(&url))
            .map_err(|error| InvalidWebhook::url(&url, &with_causes(&error)))?;
        let client = client.build().map_err(|error| InvalidWebhook::url(&url, &with_causes(&error)))?;
        let post = move |url: &str| {
            headers.iter().fold(client.post(url), |request, (name, value)| request.header(name, value))
        };
        post(&url).build().map_err(|_| InvalidWebhook::url(&url, "it or a header is malformed"))?;
        let send = move |webhook: Webhook| {
            let headers = webhook.headers().into_iter();
            let request = headers.fold(post(&url), |request, (name, value)| request.header(name, value));
            let request = request.body(webhook.body().to_owned());
            async move {
                let response = request.send().await.map_err(|error| with_causes(&http_error(error)))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_the_host_alone() {
        for text in [
            "https://user:hunter2@app.example:99999/",
            r#"{"url": "https://app.example/x?hunter2", "headers": {"A": "\n"}}"#,
        ] {
            let builder = pusher_broker::Broker::builder("1", pusher_signer::Signer::new("key", "secret"));
            let error = text
                .parse::<WebhookConfig>()
                .unwrap()
                .add_to(builder, &Roots::new())
                .unwrap_err()
                .to_string();
            assert!(error.contains("app.example") && !error.contains("hunter2"), "{error}");
        }
    }
}
