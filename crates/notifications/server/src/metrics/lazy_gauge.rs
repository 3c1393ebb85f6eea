use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// A gauge whose value is computed whenever the metrics are read.
pub(super) struct LazyGauge<F> {
    name: &'static str,
    help: &'static str,
    value: F,
}

impl<F> LazyGauge<F> {
    pub(super) fn new(name: &'static str, help: &'static str, value: F) -> Self {
        Self { name, help, value }
    }
}

impl<F: Fn() -> usize + Send + Sync + 'static> Collector for LazyGauge<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauge = ConstGauge::new(i64::try_from((self.value)()).unwrap_or(i64::MAX));
        let metric = encoder.encode_descriptor(self.name, self.help, None, gauge.metric_type())?;
        gauge.encode(metric)
    }
}

impl<F> fmt::Debug for LazyGauge<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyGauge").field(&self.name).finish()
    }
}
