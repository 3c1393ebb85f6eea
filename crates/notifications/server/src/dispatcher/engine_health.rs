use std::error::Error;
use std::time::Duration;

use tokio::time::Instant;

use super::EngineStatus;
use crate::backoff::Backoff;
use crate::realtime::{RealtimeError, RealtimeErrorKind};

/// How many requests in a row may fail before the engine is taken to have failed as a whole, not
/// counting repeated failures of an inbox. Until then it may be the inboxes that fail.
const STRIKES: u32 = 8;
/// How long a failed engine is spared even if there are inboxes that were never tried.
const SPARED: Duration = Duration::from_secs(1);
/// How long to wait after the engine has rejected the server: somebody must change something.
const REJECTED: pusher_protocol::Backoff =
    pusher_protocol::Backoff::new(Duration::from_secs(1), Duration::from_secs(15));

/// Whether the engine as a whole takes events. While it does not, one request at a time tries it,
/// with a backoff.
#[derive(Debug)]
pub(super) struct EngineHealth {
    status: EngineStatus,
    backoff: Backoff,
    pause: Option<Pause>,
    /// How many requests failed since the last one that succeeded.
    strikes: u32,
    successes: u64,
    phase: Phase,
}

#[derive(Debug)]
struct Pause {
    begun: Instant,
    until: Instant,
    attempts: u32,
    is_rejected: bool,
    is_being_tried: bool,
}

/// Identifies the time between two changes of the engine's health. The outcome of a request that
/// was sent in an earlier phase says nothing about the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phase(u64);

impl EngineHealth {
    pub(super) fn new(status: EngineStatus) -> Self {
        let (backoff, pause) = (Backoff::default(), None);
        Self { status, backoff, pause, strikes: 0, successes: 0, phase: Phase(0) }
    }

    /// Returns how many requests the engine has answered.
    pub(super) fn successes(&self) -> u64 {
        self.successes
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Returns when a request may be sent next: `None` if at any time, or not before the one that
    /// tries the engine has ended. An engine that failed, but did not reject the server, is tried
    /// sooner for inboxes that were never tried, because all others may be to blame.
    pub(super) fn resumes(&self, has_new: bool) -> Option<Instant> {
        let pause = self.pause.as_ref().filter(|pause| !pause.is_being_tried)?;
        let sooner = pause.begun + SPARED;
        Some(if has_new && !pause.is_rejected { pause.until.min(sooner) } else { pause.until })
    }

    /// Returns whether a request may be sent now.
    pub(super) fn may_send(&self, has_new: bool) -> bool {
        !self.is_paused() || self.resumes(has_new).is_some_and(|at| at <= Instant::now())
    }

    /// Records that a request is sent, and returns the current phase.
    pub(super) fn sent(&mut self) -> Phase {
        if let Some(pause) = &mut self.pause {
            pause.is_being_tried = true;
        }
        self.phase
    }

    /// Records that the engine has answered a request of this phase. Returns whether this ended a
    /// pause.
    pub(super) fn answered(&mut self, phase: Phase) -> bool {
        if phase != self.phase {
            return false;
        }
        self.strikes = 0;
        self.successes += 1;
        self.backoff.reset();
        if self.pause.take().is_none() {
            return false;
        }
        self.next_phase();
        self.status.set(None);
        tracing::info!("changes are published again");
        true
    }

    /// Records that a request of this phase has failed; `is_excused` if its inboxes had failed
    /// before, which says little about the engine. Returns whether this began a pause, or the next
    /// one.
    pub(super) fn failed(&mut self, phase: Phase, error: &RealtimeError, is_excused: bool) -> bool {
        if phase != self.phase || (is_excused && !self.is_paused()) {
            return false;
        }
        self.strikes = self.strikes.saturating_add(1);
        let concerns_all =
            matches!(error.kind(), RealtimeErrorKind::Unavailable | RealtimeErrorKind::Rejected);
        if !self.is_paused() && !concerns_all && self.strikes < STRIKES {
            return false;
        }
        self.pause(error);
        true
    }

    /// Lets one request try the engine at once.
    pub(super) fn hurry(&mut self) {
        if let Some(pause) = &mut self.pause {
            pause.until = Instant::now();
        }
    }

    fn pause(&mut self, error: &RealtimeError) {
        let earlier = self.pause.as_ref();
        let was_rejected = earlier.is_some_and(|pause| pause.is_rejected);
        let is_rejected = was_rejected || error.kind() == RealtimeErrorKind::Rejected;
        let attempts = earlier.map_or(1, |pause| pause.attempts.saturating_add(1));
        let delay = match is_rejected {
            true => REJECTED.delay(attempts, f64::midpoint(1.0, rand::random())),
            false => self.backoff.next(),
        };
        log(error, is_rejected, was_rejected, attempts == 1, delay);
        if is_rejected && !was_rejected {
            self.status.set(Some(error.to_string()));
        }
        let begun = Instant::now();
        let until = begun + delay;
        self.pause = Some(Pause { begun, until, attempts, is_rejected, is_being_tried: false });
        self.next_phase();
    }

    fn next_phase(&mut self) {
        self.phase.0 += 1;
    }
}

fn log(
    error: &(dyn Error + 'static),
    is_rejected: bool,
    was_rejected: bool,
    is_first: bool,
    delay: Duration,
) {
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    if is_rejected && !was_rejected {
        tracing::error!(
            error,
            delay_ms,
            "the Channels engine rejects this server; nothing is published until that is mended"
        );
    } else if is_first {
        tracing::warn!(error, delay_ms, "changes cannot be published; trying again");
    } else {
        tracing::debug!(error, delay_ms, "changes still cannot be published");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> EngineHealth {
        EngineHealth::new(EngineStatus::default())
    }

    fn fail(health: &mut EngineHealth, error: &RealtimeError) -> bool {
        let phase = health.sent();
        health.failed(phase, error, false)
    }

    fn retryable() -> RealtimeError {
        RealtimeError::retryable("not now")
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_failures_are_not_the_engines_and_many_in_a_row_are() {
        let mut health = health();
        for _ in 1..STRIKES {
            assert!(!fail(&mut health, &retryable()));
        }
        let phase = health.sent();
        health.answered(phase);
        for _ in 1..STRIKES {
            assert!(!fail(&mut health, &retryable()));
        }
        assert!(fail(&mut health, &retryable()) && health.is_paused());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_a_pause_neither_lengthens_nor_ends_it() {
        let mut health = health();
        let early = health.sent();
        assert!(fail(&mut health, &RealtimeError::unavailable("too many requests")));
        let until = health.resumes(false);
        assert!(!health.failed(early, &retryable(), false) && !health.answered(early));
        assert_eq!((health.resumes(false), health.is_paused()), (until, true));
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_at_a_time_tries_a_failed_engine() {
        let mut health = health();
        fail(&mut health, &RealtimeError::unavailable("down"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(health.may_send(false));
        let phase = health.sent();
        assert!(!health.may_send(true));
        assert!(health.failed(phase, &retryable(), true), "also by an inbox that fails anyway");
        tokio::time::advance(Duration::from_secs(10)).await;
        let phase = health.sent();
        assert!(health.answered(phase) && health.may_send(false));
    }

    #[tokio::test(start_paused = true)]
    async fn inboxes_that_were_never_tried_shorten_the_wait_unless_the_server_is_rejected() {
        let long = |health: &mut EngineHealth, error: &RealtimeError| {
            loop {
                fail(health, error);
                let begun = Instant::now();
                let wait = health.resumes(false).expect("paused") - begun;
                if wait > SPARED {
                    return health.resumes(true).expect("paused") - begun;
                }
            }
        };
        assert_eq!(long(&mut health(), &RealtimeError::unavailable("down")), SPARED);
        assert!(long(&mut health(), &RealtimeError::rejected("who are you")) > SPARED);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejection_shows_until_the_engine_answers() {
        let status = EngineStatus::default();
        let mut health = EngineHealth::new(status.clone());
        fail(&mut health, &RealtimeError::rejected("who are you"));
        assert_eq!(status.rejection().as_deref(), Some("who are you"));
        fail(&mut health, &retryable());
        assert!(status.rejection().is_some(), "a time-out does not say that it is over");
        let phase = health.sent();
        health.answered(phase);
        assert_eq!(status.rejection(), None);
    }
}
