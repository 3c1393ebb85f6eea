use std::time::Duration;

use internal_notifications_models::Timestamp;

use crate::Sweep;

/// The limits of a sweep in the form in which databases compare them. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutoffs {
    /// A notification that was added at this time or before is removed.
    pub(crate) added_at: i64,
    /// The most notifications of an inbox.
    pub(crate) count: i64,
    /// A change that was made at this time or before is cut from the log.
    pub(crate) changed_at: i64,
    log_count: u64,
    /// A notification that was removed at this time or before is forgotten.
    pub(crate) removed_at: i64,
    /// An idempotency key that was used at this time or before is forgotten.
    pub(crate) key_used_at: i64,
}

impl Sweep {
    pub(crate) fn cutoffs(&self) -> Cutoffs {
        let retention = &self.retention;
        let before = |age: Option<Duration>| age.map_or(i64::MIN, |age| time_before(self.now, age));
        Cutoffs {
            added_at: before(retention.age),
            count: retention.count.and_then(|count| i64::try_from(count).ok()).unwrap_or(i64::MAX),
            changed_at: before(retention.log_age),
            log_count: retention.log_count.unwrap_or(u64::MAX),
            removed_at: before(Some(retention.ids)),
            key_used_at: before(Some(retention.keys)),
        }
    }
}

impl Cutoffs {
    /// Returns the seq up to which a log is cut.
    ///
    /// `expired` is the last of the changes at the start of the log that are too old. `published`
    /// is the published seq of an inbox with unpublished changes, which are never cut.
    pub(crate) fn floor(&self, head: u64, expired: u64, published: Option<u64>) -> u64 {
        expired.max(head.saturating_sub(self.log_count)).min(published.unwrap_or(head))
    }
}

/// Returns the time of that age in milliseconds, or the earliest time if it cannot be represented.
fn time_before(now: Timestamp, age: Duration) -> i64 {
    now.as_millisecond().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retention;

    fn cutoffs(retention: Retention) -> Cutoffs {
        Sweep::new(retention, Timestamp::from_millisecond(1_000).unwrap()).cutoffs()
    }

    #[test]
    fn a_log_is_cut_by_age_and_by_count_but_not_beyond_its_published_seq() {
        let cutoffs = cutoffs(Retention::default().with_log_count(Some(10)));
        assert_eq!(cutoffs.floor(8, 0, None), 0);
        assert_eq!(cutoffs.floor(30, 0, None), 20);
        assert_eq!(cutoffs.floor(30, 25, None), 25);
        assert_eq!(cutoffs.floor(30, 25, Some(22)), 22);
        assert_eq!(cutoffs.floor(30, 30, Some(0)), 0);
    }

    #[test]
    fn an_unlimited_retention_cuts_nothing() {
        let cutoffs = cutoffs(Retention::unlimited());
        assert_eq!((cutoffs.added_at, cutoffs.count, cutoffs.changed_at), (i64::MIN, i64::MAX, i64::MIN));
        assert_eq!(cutoffs.floor(u64::MAX, 0, None), 0);
    }

    #[test]
    fn without_ages_nothing_is_too_old_and_counts_remain() {
        let retention = Retention::default().with_log_count(Some(10)).with_count(Some(3)).without_ages();
        let far = Timestamp::MAX;
        let cutoffs = Sweep::new(retention, far).cutoffs();
        assert_eq!((cutoffs.added_at, cutoffs.changed_at), (i64::MIN, i64::MIN));
        for cutoff in [cutoffs.removed_at, cutoffs.key_used_at] {
            assert!(cutoff < Timestamp::MIN.as_millisecond(), "{cutoff}");
        }
        assert_eq!((cutoffs.count, cutoffs.floor(30, 0, None)), (3, 20));
    }

    #[test]
    fn each_limit_has_its_own_cutoff() {
        let ms = Duration::from_millis;
        let retention = Retention::default().with_age(Some(ms(400))).with_count(Some(7));
        let retention = retention.with_log_age(Some(ms(300))).with_ids(ms(200)).with_keys(ms(100));
        let cutoffs = cutoffs(retention);
        assert_eq!((cutoffs.added_at, cutoffs.count, cutoffs.changed_at), (600, 7, 700));
        assert_eq!((cutoffs.removed_at, cutoffs.key_used_at), (800, 900));
    }

    #[test]
    fn an_age_too_large_to_represent_cuts_nothing() {
        assert!(cutoffs(Retention::default().with_ids(Duration::MAX)).removed_at < 0);
    }
}
