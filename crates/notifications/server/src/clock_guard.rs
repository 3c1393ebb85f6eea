//! The time by which the server decides about what it stores, guarded against a wrong clock.
//!
//! Servers that share a database follow the database's clock, others that of the machine. Between
//! two readings the time follows the monotonic clock, and a reading that does not agree with it is
//! in doubt. While the clock is in doubt, nothing is removed or forgotten because of its age, and
//! scheduled and expiring notifications follow the monotonic clock.

mod timeline;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use internal_notifications_models::Timestamp;
use tokio_util::sync::CancellationToken;

use self::timeline::{Observed, Reading, Timeline};
use crate::Clock;
use crate::config::CONFIRM_CLOCK;
use crate::store::{Store, StoreError};

/// How often the clock is read.
const PERIOD: Duration = Duration::from_secs(2);
/// A reading that took longer is too inexact to be used.
const ROUND_TRIP: Duration = Duration::from_secs(1);
/// How often the time is recorded in the store.
const RECORD_PERIOD: Duration = Duration::from_secs(60);

/// The time of the inboxes.
pub(crate) struct ClockGuard {
    clock: Arc<dyn Clock>,
    timeline: Mutex<Timeline>,
}

impl ClockGuard {
    /// Reads the clock, and compares it with the time that the store recorded last. `confirmed` is
    /// the time that an operator confirms, if it was configured.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub(crate) async fn start(
        store: &dyn Store,
        clock: Arc<dyn Clock>,
        confirmed: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let last = store.time().await?;
        let reading = read(store, clock.as_ref()).await?;
        let is_confirmed = confirmed.is_some_and(|time| reading.is_within_a_day_of(time));
        let (timeline, observed) = match last.recorded {
            Some(recorded) if !is_confirmed => Timeline::after(recorded, last.in_doubt, reading),
            _ => (Timeline::trusting(reading), Observed::Unchanged),
        };
        let guard = Self { clock, timeline: Mutex::new(timeline) };
        guard.log(observed);
        if let Some(confirmed) = confirmed {
            guard.log_confirmation(confirmed, is_confirmed);
        }
        guard.record(store, observed).await;
        Ok(guard)
    }

    /// Reads the clock again and again, until it is stopped.
    pub(crate) async fn watch(self: Arc<Self>, store: Arc<dyn Store>, stop: CancellationToken) {
        let mut recorded = self.clock.monotonic();
        while tokio::time::timeout(PERIOD, stop.cancelled()).await.is_err() {
            // The store's other callers report its failures.
            let Ok(reading) = read(store.as_ref(), self.clock.as_ref()).await else { continue };
            if reading.uncertainty() * 2 > ROUND_TRIP {
                continue;
            }
            let observed = self.timeline().observe(reading);
            self.log(observed);
            let now = self.clock.monotonic();
            if observed != Observed::Unchanged || now.saturating_sub(recorded) >= RECORD_PERIOD {
                recorded = now;
                self.record(store.as_ref(), observed).await;
            }
        }
    }

    /// Returns whether the clock is in doubt.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.timeline().is_in_doubt()
    }

    /// Records the time in the store, for the next start.
    async fn record(&self, store: &dyn Store, observed: Observed) {
        let (in_doubt, has_been_trusted) = {
            let timeline = self.timeline();
            (timeline.is_in_doubt(), timeline.has_been_trusted())
        };
        // A start in doubt leaves the time of the last server that trusted its clock. Where others
        // share the store, one of them may trust the clock sooner.
        let is_first = matches!(observed, Observed::Jumped(_));
        if in_doubt && (!has_been_trusted || store.is_shared() && !is_first) {
            return;
        }
        if let Err(error) = store.record_time(self.now(), in_doubt).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the time was not recorded");
        }
    }

    fn log(&self, observed: Observed) {
        let (now, shown) = (self.now(), self.stamp());
        match observed {
            Observed::Unchanged => {}
            Observed::Jumped(milliseconds) => {
                let seconds = milliseconds / 1000;
                let shown = now.as_millisecond().saturating_add(milliseconds);
                let shown =
                    Timestamp::from_millisecond(shown).map_or_else(|_| String::new(), |at| at.to_string());
                tracing::error!(
                    clock.shows = shown,
                    clock.expected = %now,
                    clock.ahead_seconds = seconds,
                    "the clock jumped, or it differs too much from the time at which a server last ran: until it is right again, or has run steadily for a day, nothing is removed because of its age, and scheduled notifications may be late; if the clock is right, restart with {}={shown}",
                    CONFIRM_CLOCK.name,
                );
            }
            Observed::Corrected => tracing::warn!(clock.shows = %now, "the clock is right again"),
            Observed::Accepted => {
                tracing::warn!(clock.shows = %shown, "the clock has run steadily for a day and is trusted again");
            }
        }
    }

    fn log_confirmation(&self, confirmed: Timestamp, is_confirmed: bool) {
        let (name, shows) = (CONFIRM_CLOCK.name, self.stamp());
        match (is_confirmed, self.is_in_doubt()) {
            (true, _) => {
                tracing::warn!(clock.shows = %shows, "the clock is trusted, because {name} confirms it; remove this setting");
            }
            (false, true) => {
                tracing::error!(%confirmed, "{name} does not confirm the clock: the two differ by more than a day");
            }
            (false, false) => {
                tracing::warn!(%confirmed, "{name} has no effect: it differs from the clock by more than a day; remove this setting");
            }
        }
    }

    fn timeline(&self) -> MutexGuard<'_, Timeline> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ClockGuard {
    fn now(&self) -> Timestamp {
        self.timeline().now(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn stamp(&self) -> Timestamp {
        self.timeline().stamp(self.monotonic())
    }
}

/// Reads the clock of the database if servers share it, and otherwise that of the machine.
async fn read(store: &dyn Store, clock: &dyn Clock) -> Result<Reading, StoreError> {
    let before = clock.monotonic();
    let shared = match store.is_shared() {
        true => store.time().await?.now,
        false => None,
    };
    let time = shared.unwrap_or_else(|| clock.now());
    Ok(Reading::new(time, before, clock.monotonic()))
}

#[cfg(test)]
mod tests;
