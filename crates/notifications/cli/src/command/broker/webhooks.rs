use internal_notifications_server::config::{InvalidWebhook, WebhookConfig};
use pusher_broker::Builder;
use pusher_client::Roots;

use crate::error::Error;

/// Makes the broker send its webhooks to the destinations of the environment, and to those that
/// options name.
pub(super) fn add(
    builder: Builder,
    configured: Vec<WebhookConfig>,
    options: &[String],
    roots: &Roots,
) -> Result<Builder, Error> {
    let options = options.iter().map(|option| option.parse::<WebhookConfig>());
    configured
        .into_iter()
        .map(Ok)
        .chain(options)
        .try_fold(builder, |builder, webhook| webhook?.add_to(builder, roots))
        .map_err(|error: InvalidWebhook| Error::usage(error.to_string()))
}
