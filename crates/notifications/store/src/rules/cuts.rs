use std::time::Duration;

use internal_notifications_models::Timestamp;

use crate::Sweep;

/// What a sweep takes, as databases compare it: what is not after a moment is over, what is beyond a number is too much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts {
    /// Notifications that came into an inbox up to then go.
    pub(crate) age: i64,
    /// The newest notifications of an inbox that stay.
    pub(crate) count: i64,
    /// Changes up to then may go.
    pub(crate) log_age: i64,
    log_count: u64,
    /// What was removed up to then may be forgotten.
    pub(crate) ids: i64,
    /// Idempotency keys used up to then go.
    pub(crate) keys: i64,
}

impl Sweep {
    pub(crate) fn cuts(&self) -> Cuts {
        let retention = &self.retention;
        let over = |age: Option<Duration>| age.map_or(i64::MIN, |age| ago(self.now, age));
        Cuts {
            age: over(retention.age),
            count: retention.count.and_then(|count| i64::try_from(count).ok()).unwrap_or(i64::MAX),
            log_age: over(retention.log_age),
            log_count: retention.log_count.unwrap_or(u64::MAX),
            ids: over(Some(retention.ids)),
            keys: over(Some(retention.keys)),
        }
    }
}

impl Cuts {
    /// Up to which seq a log is to be cut. `old` is the last of the changes at its beginning that are over; `published` the mark of an inbox
    /// that has unpublished changes: they are never cut.
    pub(crate) fn floor(&self, head: u64, old: u64, published: Option<u64>) -> u64 {
        old.max(head.saturating_sub(self.log_count)).min(published.unwrap_or(head))
    }
}

/// A moment that long ago, in milliseconds; the beginning of time where it cannot be told.
fn ago(now: Timestamp, age: Duration) -> i64 {
    now.as_millisecond().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retention;

    fn cuts(retention: Retention) -> Cuts {
        Sweep::new(retention, Timestamp::from_millisecond(1_000).unwrap()).cuts()
    }

    #[test]
    fn a_log_is_cut_by_age_and_by_count_but_never_beyond_what_was_published() {
        let cuts = cuts(Retention { log_count: Some(10), ..Retention::default() });
        assert_eq!(cuts.floor(8, 0, None), 0);
        assert_eq!(cuts.floor(30, 0, None), 20);
        assert_eq!(cuts.floor(30, 25, None), 25);
        assert_eq!(cuts.floor(30, 25, Some(22)), 22);
        assert_eq!(cuts.floor(30, 30, Some(0)), 0);
    }

    #[test]
    fn what_is_kept_for_ever_is_never_over() {
        let for_ever =
            Retention { age: None, count: None, log_age: None, log_count: None, ..Retention::default() };
        let cuts = cuts(for_ever);
        assert_eq!((cuts.age, cuts.count, cuts.log_age), (i64::MIN, i64::MAX, i64::MIN));
        assert_eq!(cuts.floor(u64::MAX, 0, None), 0);
    }

    #[test]
    fn what_is_exactly_as_old_as_is_kept_is_over() {
        let cuts = cuts(Retention {
            age: Some(Duration::from_millis(400)),
            ids: Duration::MAX,
            ..Retention::default()
        });
        assert_eq!(cuts.age, 600);
        assert!(cuts.ids < 0);
    }
}
