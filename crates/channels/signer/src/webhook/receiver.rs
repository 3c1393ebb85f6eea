use std::time::Duration;

use pusher_protocol::Object;

use super::{Webhook, WebhookEvent};
use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// The parts of a received webhook that are verified: header values, and the body's bytes as
/// received. `Debug` shows the key alone.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ReceivedWebhook<'a> {
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `X-Pusher-Key`.
    pub key: Option<&'a str>,
    /// The header `X-Pusher-Signature`.
    pub signature: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> ReceivedWebhook<'a> {
    /// Creates a webhook without headers. [`WebhookReceiver::receive`] requires all three of them.
    pub fn new(body: &'a [u8]) -> Self {
        Self { content_type: None, key: None, signature: None, body }
    }

    /// Sets the header `Content-Type`.
    #[must_use]
    pub fn with_content_type(self, content_type: impl Into<Option<&'a str>>) -> Self {
        Self { content_type: content_type.into(), ..self }
    }

    /// Sets the header `X-Pusher-Key`.
    #[must_use]
    pub fn with_key(self, key: impl Into<Option<&'a str>>) -> Self {
        Self { key: key.into(), ..self }
    }

    /// Sets the header `X-Pusher-Signature`.
    #[must_use]
    pub fn with_signature(self, signature: impl Into<Option<&'a str>>) -> Self {
        Self { signature: signature.into(), ..self }
    }
}

/// Verifies and parses webhooks of an app that has one key or several. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebhookReceiver {
    signers: Vec<Signer>,
    max_age: Option<Duration>,
}

impl WebhookReceiver {
    /// Creates a receiver for the app of this signer. If the signer has an encryption master key,
    /// it also decrypts the client events of encrypted channels.
    pub fn new(signer: Signer) -> Self {
        Self { signers: vec![signer], max_age: None }
    }

    /// Adds another key of the same app. Pusher signs with the oldest active key.
    #[must_use]
    pub fn with_signer(mut self, signer: Signer) -> Self {
        self.signers.push(signer);
        self
    }

    /// Rejects webhooks whose time differs from now by more than `max_age`. Unlimited by default:
    /// Pusher retries for five minutes, and a webhook that is rejected for its age is lost.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// Verifies and parses a webhook. `now` is in Unix milliseconds; it matters only with a
    /// [maximum age](Self::with_max_age).
    ///
    /// # Errors
    /// Checks in this order: returns [`ContentType`](ErrorKind::ContentType) if the type is not
    /// `application/json`, the errors of [`Signer::verify_webhook`],
    /// [`WebhookBody`](ErrorKind::WebhookBody) if the body is not a webhook's, and
    /// [`Expired`](ErrorKind::Expired).
    pub fn receive(&self, received: &ReceivedWebhook<'_>, now: u64) -> Result<Webhook, Error> {
        let media_type = received.content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            let text = "the Content-Type of a webhook must be application/json";
            return Err(Error::new(ErrorKind::ContentType, text));
        }
        let signer = self.verify(received)?;
        let Object(mut webhook): Object<Webhook> =
            serde_json::from_slice(received.body).map_err(|error| {
                let text = "the body of a webhook must be JSON with time_ms and events";
                Error::new(ErrorKind::WebhookBody, text).with_json_source(error)
            })?;
        if let Some(max_age) = self.max_age {
            if u128::from(webhook.time_ms.abs_diff(now)) > max_age.as_millis() {
                let text = "the time of the webhook is too far in the past or future";
                return Err(Error::new(ErrorKind::Expired, text));
            }
        }
        for event in &mut webhook.events {
            if let WebhookEvent::ClientEvent(event) = event {
                event.decrypt(signer);
            }
        }
        Ok(webhook)
    }

    /// Returns the signer that verifies the webhook.
    fn verify(&self, received: &ReceivedWebhook<'_>) -> Result<&Signer, Error> {
        let mut result = Err(Error::unknown_key());
        for signer in &self.signers {
            match signer.verify_webhook(received.key, received.signature, received.body) {
                Ok(()) => return Ok(signer),
                // Two signers may share a key while its secret is being replaced.
                Err(error) if error.kind() == ErrorKind::UnknownKey => {}
                Err(error) => result = Err(error),
            }
        }
        result
    }
}

impl super::ClientEvent {
    fn decrypt(&mut self, signer: &Signer) {
        let Ok(channel) = self.channel.parse::<pusher_protocol::ChannelName>() else { return };
        if !channel.kind().is_encrypted() {
            return;
        }
        self.is_encrypted = true;
        #[cfg(feature = "encrypted")]
        if let Ok(data) = signer.shared_secret(&channel).and_then(|secret| secret.open(&self.data)) {
            self.data = data;
            self.is_encrypted = false;
        }
        #[cfg(not(feature = "encrypted"))]
        let _ = signer;
    }
}

impl std::fmt::Debug for ReceivedWebhook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceivedWebhook").field("key", &self.key).finish_non_exhaustive()
    }
}
