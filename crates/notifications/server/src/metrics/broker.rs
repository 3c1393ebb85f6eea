use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use pusher_broker::{Apps, Metrics};

/// Reads the metrics of each app's broker whenever they are asked for. Several apps are told apart
/// by the label `app`.
#[derive(Debug)]
pub(super) struct BrokerCollector(pub(super) Apps);

type Value<T> = fn(&Metrics) -> T;

const GAUGES: &[(&str, &str, Value<usize>)] = &[
    ("broker_connections", "Sockets connected to the broker", |now| now.connections),
    ("broker_channels", "Channels of the broker with at least one subscriber", |now| now.channels),
];

const COUNTERS: &[(&str, &str, Value<u64>)] = &[
    ("broker_messages_in", "Messages from the broker's clients", |now| now.messages_in),
    ("broker_messages_out", "Messages to the broker's clients", |now| now.messages_out),
    ("broker_slow_readers", "Connections closed with 4100 because their client did not read", |now| {
        now.slow_readers
    }),
    (
        "broker_turned_away",
        "Connections closed with 4100, or refused with 503, because there was no room for them",
        |now| now.turned_away,
    ),
    (
        "broker_full_addresses",
        "Connections closed with 4100, or refused with 503, because there were too many from their address",
        |now| now.full_addresses,
    ),
    ("broker_webhooks_sent", "Webhooks that were acknowledged", |now| now.webhooks_sent),
    ("broker_webhooks_retried", "Webhooks sent again after a failure", |now| now.webhooks_retried),
    ("broker_webhook_events_dropped", "Webhook events that a destination will never get", |now| {
        now.webhook_events_dropped
    }),
];

impl Collector for BrokerCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let apps: Vec<_> = self.0.brokers().map(|broker| (broker.app_id(), broker.metrics())).collect();
        for (name, help, value) in GAUGES {
            let gauge = |value| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let values = apps.iter().map(|(app, now)| (*app, gauge(value(now)))).collect();
            encode(&mut encoder, name, help, values)?;
        }
        for (name, help, value) in COUNTERS {
            let values = apps.iter().map(|(app, now)| (*app, ConstCounter::new(value(now)))).collect();
            encode(&mut encoder, name, help, values)?;
        }
        Ok(())
    }
}

fn encode<M: EncodeMetric + TypedMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    apps: Vec<(&str, M)>,
) -> fmt::Result {
    let mut encoder = encoder.encode_descriptor(name, help, None, M::TYPE)?;
    if let [(_, only)] = apps.as_slice() {
        return only.encode(encoder);
    }
    for (app, metric) in &apps {
        metric.encode(encoder.encode_family(&[("app", *app)])?)?;
    }
    Ok(())
}
