use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::filter::Filter;
use super::{Webhook, WebhookError, WebhookKind};

pub(super) type Sending = Pin<Box<dyn Future<Output = Result<(), WebhookError>> + Send>>;

/// Sends a webhook to its destination with the host's HTTP client.
pub(super) type SendWebhook = Box<dyn Fn(Webhook) -> Sending + Send + Sync>;

/// A destination of webhooks: how to send to it, and which events it wants.
///
/// ```
/// use pusher_broker::{Broker, Signer, Webhook, WebhookDestination, WebhookError, WebhookKind};
///
/// let send = |webhook: Webhook| async move {
///     println!("{}", webhook.body()); // or a POST with an HTTP client
///     Ok::<(), WebhookError>(())
/// };
/// let rooms = WebhookDestination::new(send)
///     .kinds([WebhookKind::MemberAdded, WebhookKind::MemberRemoved])
///     .channel_prefix("presence-room-");
/// let signer = Signer::new("app-key", "app-secret");
/// let broker = Broker::builder("1", signer).webhook_to(rooms).build();
/// ```
pub struct WebhookDestination {
    pub(super) send: SendWebhook,
    pub(super) filter: Filter,
}

impl WebhookDestination {
    /// Creates a destination of events of all kinds and channels.
    ///
    /// `send` returns `Ok` if the response was a 2xx, and otherwise why not:
    /// [`WebhookError::from_status`] for another response.
    pub fn new<S, F, E>(send: S) -> Self
    where
        S: Fn(Webhook) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<WebhookError>,
    {
        let send: SendWebhook = Box::new(move |webhook| {
            let sending = send(webhook);
            Box::pin(async move { sending.await.map_err(Into::into) })
        });
        Self { send, filter: Filter::default() }
    }

    /// Sets the kinds of events to send. Default: all.
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = WebhookKind>) -> Self {
        self.filter.set_kinds(kinds);
        self
    }

    /// Sets how the names of the channels begin whose events are sent. Default: any.
    #[must_use]
    pub fn channel_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.filter.set_channel_prefix(prefix.into());
        self
    }
}

impl fmt::Debug for WebhookDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDestination").field("filter", &self.filter).finish_non_exhaustive()
    }
}
