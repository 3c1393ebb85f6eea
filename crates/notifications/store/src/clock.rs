use std::time::Duration;

use internal_notifications_models::Timestamp;

/// A source of time, which a simulation or a test can replace.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time in whole milliseconds.
    fn now(&self) -> Timestamp;

    /// Returns the time since a fixed moment. It passes while the machine sleeps, and setting the
    /// time of day does not change it.
    fn monotonic(&self) -> Duration;

    /// Returns the time to store with what happens now, so that nothing counts as older than it is.
    /// It is later than [`now`](Self::now) only while a clock is in doubt.
    fn stamp(&self) -> Timestamp {
        self.now()
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Databases and JavaScript keep milliseconds; a time must not change when it is read back.
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        monotonic()
    }
}

/// Reads the monotonic clock that includes sleep. That of the standard library does not on Linux.
#[cfg(unix)]
fn monotonic() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;

    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

#[cfg(not(unix))]
fn monotonic() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_of_the_machine_advances() {
        let before = SystemClock.monotonic();
        std::thread::sleep(Duration::from_millis(2));
        let passed = SystemClock.monotonic() - before;
        assert!(passed >= Duration::from_millis(2), "{passed:?}");
    }
}
