use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use pusher_broker::Broker;

/// Reads the metrics of a broker whenever they are asked for.
#[derive(Debug)]
pub(super) struct BrokerCollector(pub(super) Broker);

impl Collector for BrokerCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = self.0.metrics();
        for (name, help, value) in [
            ("broker_connections", "Sockets connected to the broker", now.connections),
            ("broker_channels", "Channels of the broker with at least one subscriber", now.channels),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, value) in [
            ("broker_messages_in", "Messages from the broker's clients", now.messages_in),
            ("broker_messages_out", "Messages to the broker's clients", now.messages_out),
            (
                "broker_slow_readers",
                "Connections closed with 4100 because their client did not read",
                now.slow_readers,
            ),
            (
                "broker_turned_away",
                "Connections closed with 4100, or refused with 503, because there was no room for them",
                now.turned_away,
            ),
            (
                "broker_full_addresses",
                "Connections closed with 4100, or refused with 503, because there were too many from their address",
                now.full_addresses,
            ),
            ("broker_webhooks_sent", "Webhooks that were acknowledged", now.webhooks_sent),
            ("broker_webhooks_retried", "Webhooks sent again after a failure", now.webhooks_retried),
            (
                "broker_webhook_events_dropped",
                "Webhook events that a destination will never get",
                now.webhook_events_dropped,
            ),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}
