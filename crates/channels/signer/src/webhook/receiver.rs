use std::time::Duration;

use super::{Webhook, WebhookEvent};
use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// A received webhook, as far as it is read: the headers' values and the body's bytes before anything read them.
#[derive(Clone, Copy)]
pub struct ReceivedWebhook<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `X-Pusher-Key`.
    pub key: Option<&'a str>,
    /// `X-Pusher-Signature`.
    pub signature: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// Verifies webhooks and reads them, for an app with one key or several. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebhookReceiver {
    signers: Vec<Signer>,
    max_age: Option<Duration>,
}

impl WebhookReceiver {
    /// For the app of this signer; its encryption master key, if it has one, opens the events of encrypted channels.
    pub fn new(signer: Signer) -> Self {
        Self { signers: vec![signer], max_age: None }
    }

    /// Another key of the same app: Pusher signs with the oldest one that is active.
    #[must_use]
    pub fn also(mut self, signer: Signer) -> Self {
        self.signers.push(signer);
        self
    }

    /// Refuses what was made longer ago, or farther in the future. No limit by default: Pusher sends again for five minutes,
    /// and a webhook that is refused for its age is lost.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// The webhook, if it comes from a holder of the secret. `now` is in Unix milliseconds, and counts with a
    /// [`max_age`](Self::max_age) only.
    ///
    /// # Errors
    /// In this order: [`ContentType`](ErrorKind::ContentType) when it is no `application/json`; as
    /// [`Signer::verify_webhook`]; [`WebhookBody`](ErrorKind::WebhookBody) when the body is no webhook's;
    /// [`Expired`](ErrorKind::Expired).
    pub fn receive(&self, received: &ReceivedWebhook<'_>, now: u64) -> Result<Webhook, Error> {
        let media_type = received.content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Error::new(ErrorKind::ContentType, "a webhook's Content-Type is application/json"));
        }
        let signer = self.verify(received)?;
        let mut webhook: Webhook = serde_json::from_slice(received.body).map_err(|_| {
            Error::new(ErrorKind::WebhookBody, "a webhook's body is JSON with time_ms and events")
        })?;
        if let Some(max_age) = self.max_age {
            if u128::from(webhook.time_ms.abs_diff(now)) > max_age.as_millis() {
                return Err(Error::new(
                    ErrorKind::Expired,
                    "the webhook was made too long ago, or later than now",
                ));
            }
        }
        for event in &mut webhook.events {
            if let WebhookEvent::ClientEvent(event) = event {
                event.open(signer);
            }
        }
        Ok(webhook)
    }

    /// The signer whose key made the signature.
    fn verify(&self, received: &ReceivedWebhook<'_>) -> Result<&Signer, Error> {
        let mut why = Error::unknown_key();
        for signer in &self.signers {
            match signer.verify_webhook(received.key, received.signature, received.body) {
                Ok(()) => return Ok(signer),
                // Two secrets may go by one key while it is changed.
                Err(error) if error.kind() == ErrorKind::UnknownKey => {}
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

impl super::ClientEvent {
    fn open(&mut self, signer: &Signer) {
        let Ok(channel) = self.channel.parse::<pusher_protocol::ChannelName>() else { return };
        if !channel.kind().is_encrypted() {
            return;
        }
        self.is_sealed = true;
        #[cfg(feature = "encrypted")]
        if let Ok(data) = signer.shared_secret(&channel).and_then(|secret| secret.open(&self.data)) {
            self.data = data;
            self.is_sealed = false;
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
