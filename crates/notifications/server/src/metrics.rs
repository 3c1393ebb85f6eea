//! The server's metrics for Prometheus: numbers only, nothing about users or notifications.

mod broker;
mod http;
mod lazy_gauge;
mod metered_store;
mod pass_gauge;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use internal_notifications_models::{ChangesAnswer, Receipt, ResetReason};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use pusher_broker::Broker;

use crate::store::{Advanced, Drift, StoreErrorKind, Swept};
pub(crate) use http::Request;
pub use metered_store::MeteredStore;
use pass_gauge::PassGauge;

const PREFIX: &str = "internal_notifications";
/// The content type of the metrics' text.
pub(crate) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the metrics of a broker that runs by itself as text.
pub(crate) fn broker_text(broker: &Broker) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(broker::BrokerCollector(broker.clone())));
    text(&registry)
}

fn text(registry: &Registry) -> String {
    let mut text = String::new();
    if let Err(error) = prometheus_text::encode(&mut text, registry) {
        tracing::error!(%error, "the metrics cannot be encoded");
    }
    text
}

/// Counters with one label.
type Counters = Family<[(&'static str, &'static str); 1], Counter>;
/// Counters with two labels.
type Counters2 = Family<[(&'static str, &'static str); 2], Counter>;

/// All metrics, counted since the start of the process. The routes, the store (through
/// [`MeteredStore`]), the dispatcher and the relay share them.
pub struct Metrics {
    registry: Mutex<Registry>,
    pushed: Counters,
    changes: Counters,
    catch_ups: Counters,
    published: Counters,
    unpublished_age: Gauge<f64, AtomicU64>,
    intents: Counters,
    due_delivered: Counter,
    due_expired: Counter,
    due_lateness: Histogram,
    withdrawn: Counter,
    pruned: Counter,
    trimmed: Counter,
    forgotten: Counter,
    drift: PassGauge,
    drift_repaired: Counter,
    passed_over: PassGauge,
    /// When the last sweep of all inboxes ended.
    swept_at: Arc<Mutex<Instant>>,
    store_errors: Counters2,
    http: http::Http,
}

impl Metrics {
    /// Returns metrics that are all zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let counter = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let counters = |registry: &mut Registry, name: &str, help: &str, label, values: &[&'static str]| {
            let family = Counters::default();
            registry.register(name, help, family.clone());
            // Created at zero, so that the first event already shows as an increase.
            values.iter().for_each(|value| drop(family.get_or_create(&[(label, *value)])));
            family
        };
        let due_lateness = Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0]);
        let (drift, passed_over) = (PassGauge::default(), PassGauge::default());
        let store_errors = Counters2::default();
        let pushed = counters(
            &mut registry,
            "pushed",
            "Recipients of pushes",
            "outcome",
            &["accepted", "duplicate", "scheduled"],
        );
        let changes = counters(
            &mut registry,
            "changes",
            "Changes of inboxes; pruned notifications are counted separately",
            "kind",
            &["added", "opened", "unopened", "opened_all", "removed"],
        );
        let catch_ups = counters(
            &mut registry,
            "catch_ups",
            "Answers to catch-ups: changes, or the reason for a snapshot",
            "answer",
            &["changes", "diverged", "trimmed", "behind"],
        );
        let published = counters(
            &mut registry,
            "published_events",
            "Events sent to the Channels engine; failed ones are sent again, refused ones are skipped and clients catch up",
            "outcome",
            &["published", "refused", "failed"],
        );
        let unpublished_age = Gauge::default();
        registry.register_with_unit(
            "unpublished_age",
            "Age of the oldest change that is not published yet, or 0",
            Unit::Seconds,
            unpublished_age.clone(),
        );
        let intents = counters(
            &mut registry,
            "intents",
            "Intents from outbox tables: relayed, or refused and marked failed in their table",
            "outcome",
            &["relayed", "failed"],
        );
        let due_delivered =
            counter(&mut registry, "due_delivered", "Deliveries of scheduled notifications to inboxes");
        let due_expired = counter(
            &mut registry,
            "due_expired",
            "Scheduled deliveries that did not happen because the notification had expired",
        );
        let withdrawn = counter(
            &mut registry,
            "withdrawn",
            "Removals of expired or retracted notifications from inboxes",
        );
        let pruned =
            counter(&mut registry, "pruned", "Notifications removed because they exceeded the retention");
        let trimmed = counter(&mut registry, "trimmed", "Records removed from change logs");
        let forgotten = counter(
            &mut registry,
            "forgotten",
            "Notifications deleted with their bodies because nothing referred to them any more",
        );
        let drift_repaired =
            counter(&mut registry, "count_drift_repaired", "Wrong pending counts that were repaired");
        registry.register_with_unit(
            "due_lateness",
            "Lateness of scheduled deliveries, that of the first of each batch",
            Unit::Seconds,
            due_lateness.clone(),
        );
        registry.register(
            "count_drift",
            "Sum of the errors of all pending counts found by the last sweep; must stay 0",
            drift.metric(),
        );
        registry.register(
            "sweep_passed_over",
            "Inboxes that the last sweep passed over, and notifications that it could not forget, although the database worked",
            passed_over.metric(),
        );
        let swept_at = Arc::new(Mutex::new(Instant::now()));
        registry.register("store_errors", "Store calls that were refused or failed", store_errors.clone());
        let http = http::Http::register(&mut registry);
        let metrics = Self {
            registry: Mutex::new(registry),
            pushed,
            changes,
            catch_ups,
            published,
            unpublished_age,
            intents,
            due_delivered,
            due_expired,
            due_lateness,
            withdrawn,
            pruned,
            trimmed,
            forgotten,
            drift,
            drift_repaired,
            passed_over,
            swept_at: swept_at.clone(),
            store_errors,
            http,
        };
        metrics.watch(
            "sweep_age_seconds",
            "Time since the last sweep of all inboxes ended, or since the start",
            move || {
                let swept_at = *swept_at.lock().unwrap_or_else(PoisonError::into_inner);
                usize::try_from(swept_at.elapsed().as_secs()).unwrap_or(usize::MAX)
            },
        );
        metrics
    }

    /// Adds a gauge whose value is computed whenever the metrics are read. Its name gets the prefix
    /// `internal_notifications_`.
    pub fn watch(
        &self,
        name: &'static str,
        help: &'static str,
        value: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(lazy_gauge::LazyGauge::new(name, help, value)));
    }

    /// Adds the metrics of the embedded broker.
    pub(crate) fn watch_broker(&self, broker: Broker) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(broker::BrokerCollector(broker)));
    }

    /// Returns all metrics in Prometheus's text format, version 0.0.4.
    pub fn text(&self) -> String {
        text(&self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn answered(&self, request: Request) {
        self.http.answered(request);
    }

    pub(crate) fn published(&self, outcome: &'static str, events: usize) {
        self.published.get_or_create(&[("outcome", outcome)]).inc_by(to_u64(events));
    }

    pub(crate) fn set_unpublished_age(&self, age: Duration) {
        self.unpublished_age.set(age.as_secs_f64());
    }

    pub(crate) fn settled(&self, outcome: &'static str) {
        self.intents.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Returns how many intents had this outcome since the start.
    pub(crate) fn intents(&self, outcome: &'static str) -> u64 {
        self.intents.get_or_create(&[("outcome", outcome)]).get()
    }

    fn pushed(&self, receipt: &Receipt) {
        for (outcome, users) in [
            ("accepted", receipt.accepted),
            ("duplicate", receipt.duplicates),
            ("scheduled", receipt.scheduled),
        ] {
            self.pushed.get_or_create(&[("outcome", outcome)]).inc_by(users);
        }
        self.changed("added", receipt.accepted);
    }

    fn changed(&self, kind: &'static str, changes: u64) {
        self.changes.get_or_create(&[("kind", kind)]).inc_by(changes);
    }

    fn caught_up(&self, answer: &ChangesAnswer) {
        let answer = match answer {
            ChangesAnswer::Changes { .. } => "changes",
            ChangesAnswer::Reset { reason: ResetReason::Diverged, .. } => "diverged",
            ChangesAnswer::Reset { reason: ResetReason::Trimmed, .. } => "trimmed",
            ChangesAnswer::Reset { reason: ResetReason::Behind, .. } => "behind",
            ChangesAnswer::Reset { .. } => "other",
        };
        self.catch_ups.get_or_create(&[("answer", answer)]).inc();
    }

    fn advanced(&self, advanced: Advanced) {
        self.changed("added", advanced.delivered);
        self.changed("removed", advanced.withdrawn);
        self.due_delivered.inc_by(advanced.delivered);
        self.due_expired.inc_by(advanced.expired);
        self.withdrawn.inc_by(advanced.withdrawn);
        if advanced.delivered > 0 {
            self.due_lateness.observe(advanced.lateness.as_secs_f64());
        }
    }

    fn withdrew(&self, inboxes: u64) {
        self.changed("removed", inboxes);
        self.withdrawn.inc_by(inboxes);
    }

    /// Counts one step of a sweep; `is_first` starts a new pass.
    fn swept(&self, is_first: bool, swept: &Swept) {
        self.pruned.inc_by(swept.pruned);
        self.trimmed.inc_by(swept.trimmed);
        self.forgotten.inc_by(swept.forgotten);
        self.drift_repaired.inc_by(to_u64(swept.drifts.len()));
        let is_last = swept.next.is_none();
        // The counts of a damaged database may be anything.
        let drift = swept.drifts.iter().fold(0, |sum: u64, Drift { counter, counted, .. }| {
            sum.saturating_add(counter.abs_diff(*counted))
        });
        self.drift.add(drift, is_first, is_last);
        let passed_over = to_u64(swept.passed_over.len())
            .saturating_add(swept.unforgotten)
            .saturating_add(swept.unreadable);
        self.passed_over.add(passed_over, is_first, is_last);
        if is_last {
            *self.swept_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    fn store_failed(&self, call: &'static str, kind: StoreErrorKind) {
        let kind = kind.as_str();
        self.store_errors.get_or_create(&[("call", call), ("kind", kind)]).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::PassedOver;

    fn value(metrics: &Metrics, name: &str) -> String {
        let name = format!("internal_notifications_{name} ");
        let text = metrics.text();
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_of_a_sweep_counts_everything_that_it_found() {
        let metrics = Metrics::new();
        let ada = || "ada".parse().unwrap();
        let mut swept = Swept::default();
        swept.next = Some(ada());
        swept.drifts = vec![Drift::new(ada(), 5, 2), Drift::new(ada(), 0, 1)];
        swept.passed_over = vec![PassedOver::new(ada(), 100_000, "too slow")];
        (swept.forgotten, swept.unforgotten) = (7, 1);
        metrics.swept(true, &swept);
        let found = ["count_drift", "count_drift_repaired_total", "sweep_passed_over", "forgotten_total"];
        assert_eq!(found.map(|name| value(&metrics, name)), ["4", "2", "2", "7"]);
        metrics.swept(false, &Swept::default());
        assert_eq!(found.map(|name| value(&metrics, name)), ["4", "2", "2", "7"]);
        metrics.swept(true, &Swept::default());
        assert_eq!(found.map(|name| value(&metrics, name)), ["0", "2", "0", "7"]);
        swept.drifts = vec![Drift::new(ada(), u64::MAX, 0), Drift::new(ada(), u64::MAX, 0)];
        metrics.swept(true, &swept);
        assert_eq!(value(&metrics, "count_drift"), i64::MAX.to_string());
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_of_a_sweep_grows_until_a_pass_ends() {
        let metrics = Metrics::new();
        let (mut step, second) = (Swept::default(), Duration::from_secs(1));
        step.next = Some("ada".parse().unwrap());
        tokio::time::advance(90 * second).await;
        metrics.swept(true, &step);
        assert_eq!(value(&metrics, "sweep_age_seconds"), "90");
        metrics.swept(false, &Swept::default());
        tokio::time::advance(2 * second).await;
        assert_eq!(value(&metrics, "sweep_age_seconds"), "2");
    }
}
