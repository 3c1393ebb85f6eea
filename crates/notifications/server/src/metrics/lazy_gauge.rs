use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// A gauge that is read when it is asked for.
pub(super) struct Watched<F> {
    name: &'static str,
    help: &'static str,
    read: F,
}

impl<F> Watched<F> {
    pub(super) fn new(name: &'static str, help: &'static str, read: F) -> Self {
        Self { name, help, read }
    }
}

impl<F: Fn() -> usize + Send + Sync + 'static> Collector for Watched<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauge = ConstGauge::new(i64::try_from((self.read)()).unwrap_or(i64::MAX));
        let metric = encoder.encode_descriptor(self.name, self.help, None, gauge.metric_type())?;
        gauge.encode(metric)
    }
}

impl<F> fmt::Debug for Watched<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.name).finish()
    }
}
