use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Returns the time of the machine's clock.
pub(crate) type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Notices that the machine slept: its clock went on meanwhile, but timers and the monotonic clock
/// stood still.
pub(super) struct ClockWatch {
    wall_clock: WallClock,
    wall: SystemTime,
    monotonic: Instant,
}

/// How often the clocks are compared. Timers count only the time awake, so that a sleep is noticed
/// at most this long after it.
const INTERVAL: Duration = Duration::from_secs(10);
/// How far the clock may jump forwards without a consequence.
const TOLERANCE: Duration = Duration::from_secs(5);

impl ClockWatch {
    pub(super) fn new(wall_clock: WallClock) -> Self {
        Self { wall: wall_clock(), monotonic: Instant::now(), wall_clock }
    }

    /// Returns when to compare the clocks next.
    pub(super) fn next(&self) -> Instant {
        self.monotonic + INTERVAL
    }

    /// Returns whether the clock jumped forwards since the last call.
    pub(super) fn has_slept(&mut self) -> bool {
        let (wall, monotonic) = ((self.wall_clock)(), Instant::now());
        let passed = wall.duration_since(self.wall).unwrap_or_default();
        let has_slept = passed > monotonic.duration_since(self.monotonic) + TOLERANCE;
        // Rare comparisons also find a jump in small steps.
        if has_slept || monotonic >= self.next() || wall < self.wall {
            (self.wall, self.monotonic) = (wall, monotonic);
        }
        has_slept
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_jump_of_the_clock_forwards_is_a_sleep() {
        let wall = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000)));
        let read = Arc::clone(&wall);
        let mut watch = ClockWatch::new(Arc::new(move || *read.lock().unwrap()));
        let pass = |seconds| *wall.lock().unwrap() += Duration::from_secs(seconds);
        assert!(!watch.has_slept());
        for seconds in [1, 9, 60, 86_400] {
            pass(seconds);
            advance(Duration::from_secs(seconds)).await;
            assert!(!watch.has_slept(), "{seconds}");
        }
        pass(6);
        assert!(watch.has_slept() && !watch.has_slept());
        pass(3);
        assert!(!watch.has_slept());
        pass(3);
        assert!(watch.has_slept(), "a jump in two steps");
        *wall.lock().unwrap() -= Duration::from_secs(500);
        assert!(!watch.has_slept());
        pass(6);
        assert!(watch.has_slept());
        assert!(watch.next() <= Instant::now() + INTERVAL);
    }
}
