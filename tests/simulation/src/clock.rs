use std::time::Duration;

use internal_notifications_models::Timestamp;
use internal_notifications_server::Clock;

/// The simulated clock. It starts at a moment of 2026.
pub(crate) struct SimulatedClock;

const START: i64 = 1_780_000_000_000;

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        time(now())
    }

    fn monotonic(&self) -> Duration {
        now()
    }
}

/// Returns how long the simulation has run, on its own clock.
pub(crate) fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

/// Returns the time at a moment of the simulation.
pub(crate) fn time(at: Duration) -> Timestamp {
    Timestamp::from_millisecond(START + at.as_millis() as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Waits until a moment of the simulation. Returns at once if it has passed.
pub(crate) async fn sleep_until(at: Duration) {
    tokio::time::sleep(at.saturating_sub(now())).await;
}
