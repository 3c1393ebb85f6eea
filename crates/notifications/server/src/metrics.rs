//! What the server counts, for Prometheus: numbers alone, nothing of users or notifications.

mod http;
mod measured;
mod watched;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use internal_notifications_models::{ChangesAnswer, Receipt, ResetReason};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::store::{Advanced, Drift, StoreErrorKind, Swept};
pub(crate) use http::Request;
pub use measured::Measured;

/// Counters by one label.
type By = Family<[(&'static str, &'static str); 1], Counter>;
/// Counters by two labels.
type ByTwo = Family<[(&'static str, &'static str); 2], Counter>;

/// What is counted since the start. Shared by the routes, the store ([`Measured`]), the dispatcher and the relay.
pub struct Metrics {
    registry: Mutex<Registry>,
    pushed: By,
    changes: By,
    catch_ups: By,
    published: By,
    intents: By,
    due_delivered: Counter,
    due_expired: Counter,
    due_lateness: Histogram,
    withdrawn: Counter,
    pruned: Counter,
    trimmed: Counter,
    drift: Gauge,
    /// The drift that the present pass has found so far.
    drift_of_pass: AtomicU64,
    drift_repaired: Counter,
    store_errors: ByTwo,
    http: http::Http,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("internal_notifications");
        let counted = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let by = |registry: &mut Registry, name: &str, help: &str, label, values: &[&'static str]| {
            let family = By::default();
            registry.register(name, help, family.clone());
            // From the start, so that the first one is a rise.
            values.iter().for_each(|value| drop(family.get_or_create(&[(label, *value)])));
            family
        };
        let due_lateness = Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0]);
        let drift = Gauge::default();
        let store_errors = ByTwo::default();
        let pushed = by(
            &mut registry,
            "pushed",
            "Recipients of pushes",
            "outcome",
            &["accepted", "duplicate", "scheduled"],
        );
        let changes = by(
            &mut registry,
            "changes",
            "Changes of inboxes; what was pruned is counted apart",
            "kind",
            &["added", "opened", "unopened", "opened_all", "removed"],
        );
        let catch_ups = by(
            &mut registry,
            "catch_ups",
            "Answers to clients that asked what came after their position: changes, or why a snapshot",
            "answer",
            &["changes", "diverged", "trimmed", "behind"],
        );
        let published = by(
            &mut registry,
            "published_events",
            "Events given to the Channels engine; a failed one is tried again, a refused one is caught up",
            "outcome",
            &["published", "refused", "failed"],
        );
        let intents = by(
            &mut registry,
            "intents",
            "Pushes that apps left in their own databases: relayed, or refused and marked failed in their tables",
            "outcome",
            &["relayed", "failed"],
        );
        let due_delivered =
            counted(&mut registry, "due_delivered", "Inboxes that a scheduled notification entered");
        let due_expired = counted(
            &mut registry,
            "due_expired",
            "Inboxes that a scheduled notification did not enter since it had expired before",
        );
        let withdrawn =
            counted(&mut registry, "withdrawn", "Inboxes that an expired or retracted notification left");
        let pruned =
            counted(&mut registry, "pruned", "Notifications removed since they were older or more than kept");
        let trimmed = counted(&mut registry, "trimmed", "Records cut from logs");
        let drift_repaired = counted(
            &mut registry,
            "count_drift_repaired",
            "Pending counts that were wrong and were repaired",
        );
        registry.register_with_unit(
            "due_lateness",
            "How late the first of the scheduled notifications delivered together was",
            Unit::Seconds,
            due_lateness.clone(),
        );
        registry.register(
            "count_drift",
            "By how much the pending counts were wrong in the last pass over all inboxes; must stay 0",
            drift.clone(),
        );
        registry.register(
            "store_errors",
            "Calls of the store that did not do what was asked",
            store_errors.clone(),
        );
        let http = http::Http::register(&mut registry);
        Self {
            registry: Mutex::new(registry),
            pushed,
            changes,
            catch_ups,
            published,
            intents,
            due_delivered,
            due_expired,
            due_lateness,
            withdrawn,
            pruned,
            trimmed,
            drift,
            drift_of_pass: AtomicU64::new(0),
            drift_repaired,
            store_errors,
            http,
        }
    }

    /// Adds a gauge that is read whenever it is asked for. Its name gets the prefix `internal_notifications_`.
    pub fn watch(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(watched::Watched::new(name, help, read)));
    }

    /// Everything, in Prometheus's text format, version 0.0.4.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = prometheus_text::encode(&mut text, &registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }

    pub(crate) fn answered(&self, request: Request) {
        self.http.answered(request);
    }

    pub(crate) fn published(&self, outcome: &'static str, events: usize) {
        self.published.get_or_create(&[("outcome", outcome)]).inc_by(number(events));
    }

    pub(crate) fn settled(&self, outcome: &'static str) {
        self.intents.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Intents of this outcome, since the start.
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

    /// A step of a pass over all inboxes; `is_first` begins a pass.
    fn swept(&self, is_first: bool, swept: &Swept) {
        self.pruned.inc_by(swept.pruned);
        self.trimmed.inc_by(swept.trimmed);
        self.drift_repaired.inc_by(number(swept.drifts.len()));
        let found =
            swept.drifts.iter().map(|Drift { counter, counted, .. }| counter.abs_diff(*counted)).sum();
        let before = if is_first { 0 } else { self.drift_of_pass.load(Ordering::Relaxed) };
        let drift = before.saturating_add(found);
        self.drift_of_pass.store(drift, Ordering::Relaxed);
        // At once when it is more, and less only when a whole pass has found less.
        let drift = i64::try_from(drift).unwrap_or(i64::MAX);
        if swept.next.is_none() || drift > self.drift.get() {
            self.drift.set(drift);
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

fn number(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drift_of_the_last_pass_is_told_at_once_and_goes_when_a_whole_pass_finds_none() {
        let metrics = Metrics::new();
        let step = |is_last: bool, drifts: &[(u64, u64)]| {
            let ada = || "ada".parse().unwrap();
            let mut swept = Swept::default();
            swept.next = (!is_last).then(ada);
            swept.drifts =
                drifts.iter().map(|(counter, counted)| Drift::new(ada(), *counter, *counted)).collect();
            swept
        };
        let drift = || metrics.drift.get();
        metrics.swept(true, &step(false, &[(5, 2)]));
        assert_eq!(drift(), 3, "before the pass has ended");
        metrics.swept(false, &step(true, &[(0, 1)]));
        assert_eq!(drift(), 4);
        metrics.swept(true, &step(false, &[]));
        assert_eq!(drift(), 4, "the next pass is not over");
        metrics.swept(false, &step(true, &[]));
        assert_eq!((drift(), metrics.drift_repaired.get()), (0, 2));
    }
}
