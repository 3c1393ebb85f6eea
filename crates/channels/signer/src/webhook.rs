mod event;
#[cfg(feature = "axum")]
mod extractor;
mod receiver;

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

pub use event::{ClientEvent, Webhook, WebhookEvent};
#[cfg(feature = "axum")]
pub use extractor::WebhookRejection;
pub use receiver::{ReceivedWebhook, WebhookReceiver};

impl Signer {
    /// Signs a webhook's body and returns the headers to send with it, as Pusher does: for servers,
    /// and for tests of a receiver.
    pub fn sign_webhook(&self, body: &[u8]) -> [(&'static str, String); 3] {
        [
            ("Content-Type", "application/json".to_owned()),
            ("X-Pusher-Key", self.key().to_owned()),
            ("X-Pusher-Signature", self.sign(body)),
        ]
    }

    /// Verifies the signature of a webhook (Pusher's "webhooks"). `key` is the header
    /// `X-Pusher-Key`, `signature` the header `X-Pusher-Signature`, `body` the bytes as received.
    ///
    /// [`WebhookReceiver`] also accepts several keys and parses the body. A webhook does not
    /// expire: it may arrive twice, or out of order; its `time_ms` is the time at which it was
    /// made.
    ///
    /// # Errors
    /// Returns [`MissingParameter`](ErrorKind::MissingParameter) if a header is missing,
    /// [`UnknownKey`](ErrorKind::UnknownKey) if the key is not this signer's, and
    /// [`Signature`](ErrorKind::Signature) if the signature does not match.
    pub fn verify_webhook(
        &self,
        key: Option<&str>,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<(), Error> {
        let missing = |header| move || Error::new(ErrorKind::MissingParameter, header);
        let key = key.ok_or_else(missing("Missing header: X-Pusher-Key"))?;
        let signature = signature.ok_or_else(missing("Missing header: X-Pusher-Signature"))?;
        if key != self.key() {
            return Err(Error::unknown_key());
        }
        if self.verify(body, signature) { Ok(()) } else { Err(Error::signature()) }
    }
}
