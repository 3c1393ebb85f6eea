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
    /// Whether a webhook comes from the holder of the secret: `key` is the header `X-Pusher-Key`, `signature` the header
    /// `X-Pusher-Signature`, `body` the request's bytes before anything read them (Pusher's "webhooks").
    ///
    /// [`WebhookReceiver`] does this for several keys, and reads the body too. A webhook has no expiry: the same one
    /// may come again, and out of order; `time_ms` in the body tells its age.
    ///
    /// # Errors
    /// [`MissingParameter`](ErrorKind::MissingParameter) without one of the headers, [`UnknownKey`](ErrorKind::UnknownKey)
    /// for another key than this signer's, [`Signature`](ErrorKind::Signature).
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
