use std::time::Duration;

use internal_notifications_models::Timestamp;

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How far a clock may move against the monotonic clock within a day, as when NTP corrects it.
const STEP: i64 = 5 * MINUTE;
/// How inexact a reading is because its times are whole milliseconds.
const ROUNDING: u64 = 1;
/// How far ahead of the recorded time a clock may be at a start: the longest stop that is taken for
/// one.
const ABSENCE: i64 = 7 * DAY;
/// The same after a stop while the clock was in doubt: a restart must not confirm the clock.
const ABSENCE_IN_DOUBT: i64 = 60 * MINUTE;
/// How long a clock that jumped must run steadily until it is trusted again.
const STEADY: i64 = DAY;

/// The time, continued from readings of a clock as long as they agree with the monotonic clock.
///
/// A reading that does not agree is in doubt: the time continues by the monotonic clock alone until
/// the readings agree again or have run steadily for a day.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Where the time continues from.
    latest: Reading,
    /// What readings are compared with. It is renewed once a day, so that many small steps do not
    /// add up unnoticed.
    reference: Reading,
    /// How far ahead of the reference a reading may be.
    ahead: i64,
    /// The first of the current readings that do not agree.
    doubted: Option<Reading>,
}

/// The time of a clock, and the time of the monotonic clock when it was read, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    time: i64,
    monotonic: i64,
    /// How inexact the time is, beyond the rounding of both.
    uncertainty: i64,
}

/// What a reading changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Observed {
    /// Nothing.
    Unchanged,
    /// The clock is in doubt from now on. Its reading is this many milliseconds ahead.
    Jumped(i64),
    /// The clock agrees again.
    Corrected,
    /// The clock is trusted, since it ran steadily for a day.
    Accepted,
}

impl Reading {
    /// Creates a reading that was made between two times of the monotonic clock.
    pub(super) fn new(time: Timestamp, after: Duration, before: Duration) -> Self {
        let (after, before) = (milliseconds(after), milliseconds(before));
        let uncertainty = before.saturating_sub(after) / 2;
        Self { time: time.as_millisecond(), monotonic: after.saturating_add(uncertainty), uncertainty }
    }

    /// Returns how inexact the time is.
    pub(super) fn uncertainty(&self) -> Duration {
        Duration::from_millis(self.uncertainty.unsigned_abs())
    }

    /// Returns whether the time is within a day of another.
    pub(super) fn is_within_a_day_of(&self, time: Timestamp) -> bool {
        self.time.abs_diff(time.as_millisecond()) <= DAY.unsigned_abs()
    }

    /// Returns what the clock shows at a time of the monotonic clock if it runs steadily.
    fn at(&self, monotonic: i64) -> i64 {
        self.time.saturating_add(monotonic.saturating_sub(self.monotonic))
    }
}

impl Timeline {
    /// Creates a timeline that trusts this reading.
    pub(super) fn trusting(reading: Reading) -> Self {
        Self { latest: reading, reference: reading, ahead: STEP, doubted: None }
    }

    /// Creates a timeline that continues after the recorded time if the reading may follow it.
    /// `in_doubt` is whether the clock was in doubt when the time was recorded.
    pub(super) fn after(recorded: Timestamp, in_doubt: bool, reading: Reading) -> (Self, Observed) {
        let last = Reading { time: recorded.as_millisecond(), ..reading };
        let mut timeline =
            Self { ahead: if in_doubt { ABSENCE_IN_DOUBT } else { ABSENCE }, ..Self::trusting(last) };
        let observed = timeline.observe(reading);
        (timeline, observed)
    }

    /// Returns the time at a time of the monotonic clock.
    pub(super) fn now(&self, monotonic: Duration) -> Timestamp {
        timestamp(self.latest.at(milliseconds(monotonic)))
    }

    /// Returns the later of the time and the time of a clock that is in doubt.
    pub(super) fn stamp(&self, monotonic: Duration) -> Timestamp {
        let doubted = self.doubted.map(|reading| timestamp(reading.at(milliseconds(monotonic))));
        doubted.map_or(self.now(monotonic), |doubted| doubted.max(self.now(monotonic)))
    }

    /// Returns whether the clock is in doubt.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubted.is_some()
    }

    /// Returns whether a reading has been trusted since the start.
    pub(super) fn has_been_trusted(&self) -> bool {
        self.ahead == STEP
    }

    /// Continues the time from this reading if it agrees.
    pub(super) fn observe(&mut self, reading: Reading) -> Observed {
        let offset = reading.time.saturating_sub(self.reference.at(reading.monotonic));
        if (-STEP..=self.ahead).contains(&offset) {
            return self.agree(reading);
        }
        let Some(doubted) = self.doubted else {
            self.doubted = Some(reading);
            return Observed::Jumped(offset);
        };
        if reading.time.abs_diff(doubted.at(reading.monotonic)) > STEP.unsigned_abs() {
            // It jumped again, so the day starts again.
            self.doubted = Some(reading);
        } else if reading.monotonic.saturating_sub(doubted.monotonic) >= STEADY {
            *self = Self::trusting(reading);
            return Observed::Accepted;
        }
        Observed::Unchanged
    }

    fn agree(&mut self, reading: Reading) -> Observed {
        let step = reading.time.abs_diff(self.latest.at(reading.monotonic));
        if step > reading.uncertainty.unsigned_abs() + ROUNDING {
            self.latest = reading;
        }
        let is_start = self.ahead > STEP;
        if is_start || reading.monotonic.saturating_sub(self.reference.monotonic) >= DAY {
            (self.reference, self.ahead) = (reading, STEP);
        }
        match self.doubted.take() {
            Some(_) => Observed::Corrected,
            None => Observed::Unchanged,
        }
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn timestamp(milliseconds: i64) -> Timestamp {
    let limit = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(milliseconds).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time at which tests start.
    const START: i64 = 1_800_000_000_000;
    const SECOND: i64 = 1000;
    const HOUR: i64 = 60 * MINUTE;

    /// A clock that is `offset` ahead, read `monotonic` after the start.
    fn read(monotonic: i64, offset: i64) -> Reading {
        Reading { time: START + monotonic + offset, monotonic, uncertainty: 0 }
    }

    fn now(timeline: &Timeline, monotonic: i64) -> i64 {
        timeline.now(Duration::from_millis(monotonic.unsigned_abs())).as_millisecond() - START
    }

    fn stamp(timeline: &Timeline, monotonic: i64) -> i64 {
        timeline.stamp(Duration::from_millis(monotonic.unsigned_abs())).as_millisecond() - START
    }

    fn started() -> Timeline {
        Timeline::trusting(read(0, 0))
    }

    fn restarted(offset: i64) -> (Timeline, Observed) {
        Timeline::after(timestamp(START), false, read(0, offset))
    }

    #[test]
    fn between_readings_the_time_follows_the_monotonic_clock() {
        let timeline = started();
        assert_eq!((now(&timeline, 0), now(&timeline, HOUR), stamp(&timeline, HOUR)), (0, HOUR, HOUR));
    }

    #[test]
    fn small_steps_are_followed_in_both_directions() {
        let mut timeline = started();
        for (after, offset) in [(1, STEP), (2, -STEP), (3, 0)] {
            assert_eq!(timeline.observe(read(after * SECOND, offset)), Observed::Unchanged);
            assert_eq!(now(&timeline, after * SECOND), after * SECOND + offset);
        }
        assert!(!timeline.is_in_doubt());
    }

    #[test]
    fn a_step_within_the_uncertainty_of_a_reading_is_not_followed() {
        let mut timeline = started();
        timeline.observe(Reading { uncertainty: 20, ..read(SECOND, 21) });
        assert_eq!(now(&timeline, SECOND), SECOND);
        timeline.observe(Reading { uncertainty: 20, ..read(SECOND, 22) });
        assert_eq!(now(&timeline, SECOND), SECOND + 22);
    }

    #[test]
    fn a_reading_is_from_the_middle_of_its_round_trip() {
        let reading = Reading::new(timestamp(START), Duration::from_secs(2), Duration::from_secs(4));
        assert_eq!((reading.monotonic, reading.uncertainty), (3000, 1000));
        assert_eq!(reading.uncertainty(), Duration::from_secs(1));
    }

    #[test]
    fn many_small_steps_are_a_jump() {
        let mut timeline = started();
        let observed: Vec<_> =
            (1..=6).map(|step| timeline.observe(read(step * SECOND, step * MINUTE))).collect();
        assert_eq!(observed.last(), Some(&Observed::Jumped(6 * MINUTE)), "{observed:?}");
        assert_eq!(now(&timeline, 6 * SECOND), 6 * SECOND + 5 * MINUTE, "where the clock last agreed");
    }

    #[test]
    fn a_slow_drift_is_followed_for_ever() {
        let mut timeline = started();
        for day in 1..=400 {
            assert_eq!(timeline.observe(read(day * DAY, day * MINUTE)), Observed::Unchanged);
        }
        assert_eq!(now(&timeline, 400 * DAY), 400 * DAY + 400 * MINUTE);
    }

    #[test]
    fn after_a_jump_the_time_continues_as_before_and_what_is_stored_is_never_too_old() {
        for jump in [400 * DAY, STEP + SECOND, -STEP - SECOND, -400 * DAY] {
            let mut timeline = started();
            assert_eq!(timeline.observe(read(SECOND, jump)), Observed::Jumped(jump));
            assert!(timeline.is_in_doubt());
            for after in [SECOND, HOUR] {
                assert_eq!(now(&timeline, after), after);
                assert_eq!(stamp(&timeline, after), after + jump.max(0));
            }
        }
    }

    #[test]
    fn a_clock_that_comes_back_is_trusted_at_once() {
        for jump in [400 * DAY, -400 * DAY] {
            let mut timeline = started();
            timeline.observe(read(SECOND, jump));
            assert_eq!(timeline.observe(read(HOUR, jump)), Observed::Unchanged);
            assert_eq!(timeline.observe(read(2 * HOUR, SECOND)), Observed::Corrected);
            assert!(!timeline.is_in_doubt());
            assert_eq!(now(&timeline, 2 * HOUR), 2 * HOUR + SECOND);
        }
    }

    #[test]
    fn a_clock_that_runs_steadily_for_a_day_is_trusted() {
        for jump in [400 * DAY, -400 * DAY] {
            let mut timeline = started();
            timeline.observe(read(HOUR, jump));
            assert_eq!(timeline.observe(read(DAY + HOUR - 1, jump)), Observed::Unchanged);
            assert!(timeline.is_in_doubt());
            assert_eq!(timeline.observe(read(DAY + HOUR, jump + SECOND)), Observed::Accepted);
            assert!(!timeline.is_in_doubt());
            assert_eq!(now(&timeline, 2 * DAY), 2 * DAY + jump + SECOND);
            assert_eq!(timeline.observe(read(2 * DAY, 0)), Observed::Jumped(-jump - SECOND));
        }
    }

    #[test]
    fn a_further_jump_starts_the_day_again() {
        let mut timeline = started();
        timeline.observe(read(0, 400 * DAY));
        assert_eq!(timeline.observe(read(DAY / 2, 300 * DAY)), Observed::Unchanged);
        assert_eq!(timeline.observe(read(DAY, 300 * DAY)), Observed::Unchanged);
        assert_eq!(timeline.observe(read(DAY + DAY / 2, 300 * DAY)), Observed::Accepted);
    }

    #[test]
    fn a_clock_that_runs_too_fast_is_never_trusted() {
        let mut timeline = started();
        let observed: Vec<_> =
            (0..5 * 24 * 60).map(|minute| timeline.observe(read(minute * MINUTE, minute * MINUTE))).collect();
        assert_eq!(observed.iter().filter(|observed| **observed != Observed::Unchanged).count(), 1);
        assert!(timeline.is_in_doubt());
    }

    #[test]
    fn a_start_after_an_ordinary_stop_follows_the_clock() {
        for offset in [-STEP, 0, MINUTE, 3 * DAY, ABSENCE] {
            let (mut timeline, observed) = restarted(offset);
            assert_eq!(observed, Observed::Unchanged);
            assert_eq!(now(&timeline, 0), offset);
            assert_eq!(timeline.observe(read(SECOND, offset + HOUR)), Observed::Jumped(HOUR), "from now on");
        }
    }

    #[test]
    fn a_start_behind_or_far_ahead_of_the_recorded_time_is_in_doubt() {
        for offset in [-400 * DAY, -STEP - 1, ABSENCE + 1, 60 * DAY, 400 * DAY] {
            let (timeline, observed) = restarted(offset);
            assert_eq!(observed, Observed::Jumped(offset));
            assert_eq!((now(&timeline, HOUR), stamp(&timeline, HOUR)), (HOUR, HOUR + offset.max(0)));
        }
    }

    #[test]
    fn a_start_after_a_stop_in_doubt_trusts_only_a_short_stop() {
        for (offset, observed) in [
            (-STEP - 1, Observed::Jumped(-STEP - 1)),
            (0, Observed::Unchanged),
            (HOUR, Observed::Unchanged),
            (HOUR + 1, Observed::Jumped(HOUR + 1)),
        ] {
            assert_eq!(Timeline::after(timestamp(START), true, read(0, offset)).1, observed);
        }
    }

    #[test]
    fn a_start_in_doubt_ends_as_a_jump_does() {
        let (mut timeline, _) = restarted(60 * DAY);
        assert_eq!(timeline.observe(read(DAY, 60 * DAY)), Observed::Accepted);
        assert_eq!(now(&timeline, DAY), 61 * DAY);
        let (mut timeline, _) = restarted(400 * DAY);
        assert_eq!(timeline.observe(read(HOUR, 2 * DAY)), Observed::Corrected, "a stop of two days");
        assert_eq!(timeline.observe(read(2 * HOUR, 2 * DAY + HOUR)), Observed::Jumped(HOUR));
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        for time in [Timestamp::MIN, Timestamp::MAX] {
            let mut timeline = started();
            timeline.observe(Reading::new(time, Duration::MAX, Duration::MAX));
            assert!(timeline.stamp(Duration::MAX) >= timeline.now(Duration::ZERO));
            let (timeline, _) = Timeline::after(time, false, read(0, 0));
            timeline.now(Duration::MAX);
        }
    }
}
