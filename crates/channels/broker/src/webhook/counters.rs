use crate::counter::Counter;

/// Counts of a broker's webhooks since its start, of all destinations together; see
/// [`Metrics`](crate::Metrics).
#[derive(Debug, Default)]
pub(crate) struct WebhookCounters {
    pub(crate) sent: Counter,
    pub(crate) retried: Counter,
    pub(crate) dropped: Counter,
}
