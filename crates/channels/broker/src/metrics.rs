use crate::broker::Broker;

/// What a broker holds at the moment, and what it has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Established connections.
    pub connections: usize,
    /// Channels with at least one subscriber.
    pub channels: usize,
    /// Messages from clients, well-formed or not.
    pub messages_in: u64,
    /// Messages whose writing to a client has begun.
    pub messages_out: u64,
    /// Connections closed with 4100 because their client did not read.
    pub slow_readers: u64,
    /// Connections closed with 4100, or refused with status 503, because there was no room for
    /// them.
    pub turned_away: u64,
    /// Connections closed with 4100, or refused with status 503, because their address has as many
    /// as [`Limits::connections_per_address`](crate::Limits::connections_per_address) allows.
    pub full_addresses: u64,
    /// Webhooks that were acknowledged.
    pub webhooks_sent: u64,
    /// How often a webhook that had failed was sent again.
    pub webhooks_retried: u64,
    /// Webhook events that a destination will never get: there was no room for them, or it did not
    /// accept them in time.
    pub webhook_events_dropped: u64,
}

impl Broker {
    /// Returns the current metrics. Each is read by itself, so that they may differ by what happens
    /// meanwhile.
    pub fn metrics(&self) -> Metrics {
        let (registry, counters) = (&self.shared.registry, &self.shared.counters);
        let webhooks = registry.webhooks().counters();
        Metrics {
            connections: registry.connections(),
            channels: registry.occupied(),
            messages_in: counters.messages_in.get(),
            messages_out: counters.messages_out.get(),
            slow_readers: counters.slow_readers(),
            turned_away: counters.turned_away(),
            full_addresses: counters.full_addresses(),
            webhooks_sent: webhooks.sent.get(),
            webhooks_retried: webhooks.retried.get(),
            webhook_events_dropped: webhooks.dropped.get(),
        }
    }
}
