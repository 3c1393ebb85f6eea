use internal_notifications_models::UserId;

use super::failure::Failure;
use super::row::{Columns, unsigned};
use crate::Drift;
use crate::rules::cutoffs::Cutoffs;

/// What one transaction of a sweep cleaned up.
#[derive(Debug, Default)]
pub(crate) struct Cleaned {
    pub(crate) pruned: u64,
    pub(crate) trimmed: u64,
    pub(crate) drifts: Vec<Drift>,
    /// The keys of inboxes that are not finished.
    pub(crate) left: Vec<i64>,
}

/// What a sweep finds in an inbox.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) user_id: UserId,
    /// The key of the inbox.
    pub(crate) inbox: i64,
    /// The pending count of the head.
    counter: u64,
    /// The number of pending notifications.
    pub(crate) counted: u64,
    /// The seq up to which notifications exceed the most that an inbox retains; 0 for none.
    pub(crate) excess: i64,
    has_old: bool,
    seq: u64,
    pub(crate) floor: u64,
    /// The last of the changes at the start of the log that are too old.
    expired: u64,
    /// The published seq.
    published: u64,
    has_forgettable: bool,
}

impl Inspection {
    /// Reads a row with the columns of the stores' `inspection_columns!`.
    pub(crate) fn new(row: &impl Columns) -> Result<Self, Failure> {
        let seq = unsigned(row.number("seq")?);
        let published = row.number_if_any("published")?.map_or(seq, unsigned);
        Ok(Self {
            user_id: UserId::new(row.text("user_id")?)?,
            inbox: row.number("key")?,
            counter: unsigned(row.number("pending")?),
            counted: unsigned(row.number("counted")?),
            excess: row.number_if_any("excess")?.unwrap_or(0),
            has_old: row.flag("has_old")?,
            seq,
            floor: unsigned(row.number("floor")?),
            expired: unsigned(row.number("expired")?),
            published,
            has_forgettable: row.flag("has_forgettable")?,
        })
    }

    /// Returns how the pending count differs from the number of pending notifications, if it does.
    pub(crate) fn drift(&self) -> Option<Drift> {
        let Self { counter, counted, .. } = *self;
        (counter != counted).then(|| Drift::new(self.user_id.clone(), counter, counted))
    }

    /// Returns whether there are notifications to remove.
    pub(crate) fn needs_pruning(&self) -> bool {
        self.has_old || self.excess > 0
    }

    /// Returns the floor to which the log is to be cut once its head has this seq.
    pub(crate) fn new_floor(&self, seq: u64, cutoffs: &Cutoffs) -> u64 {
        cutoffs.floor(seq, self.expired, Some(self.published)).max(self.floor)
    }

    /// Returns whether there is anything to do.
    pub(crate) fn needs_cleaning(&self, cutoffs: &Cutoffs) -> bool {
        self.counter != self.counted
            || self.needs_pruning()
            || self.floor < self.new_floor(self.seq, cutoffs)
            || self.has_forgettable
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::Timestamp;

    use super::*;
    use crate::{Retention, Sweep};

    fn clean() -> Inspection {
        Inspection {
            user_id: "ada".parse().unwrap(),
            inbox: 1,
            counter: 3,
            counted: 3,
            excess: 0,
            has_old: false,
            seq: 20,
            floor: 10,
            expired: 10,
            published: 20,
            has_forgettable: false,
        }
    }

    fn cutoffs() -> Cutoffs {
        Sweep::new(Retention::default().with_log_count(Some(10)), Timestamp::UNIX_EPOCH).cutoffs()
    }

    #[test]
    fn each_finding_makes_an_inbox_need_cleaning() {
        assert!(!clean().needs_cleaning(&cutoffs()));
        for dirty in [
            Inspection { counted: 2, ..clean() },
            Inspection { excess: 1, ..clean() },
            Inspection { has_old: true, ..clean() },
            Inspection { expired: 11, ..clean() },
            Inspection { seq: 21, published: 21, ..clean() },
            Inspection { has_forgettable: true, ..clean() },
        ] {
            assert!(dirty.needs_cleaning(&cutoffs()), "{dirty:?}");
        }
    }

    #[test]
    fn a_drift_names_both_counts() {
        assert_eq!(clean().drift(), None);
        let drift = Drift::new("ada".parse().unwrap(), 3, 2);
        assert_eq!(Inspection { counted: 2, ..clean() }.drift(), Some(drift));
    }

    #[test]
    fn old_notifications_and_excess_ones_are_pruned() {
        assert!(!clean().needs_pruning());
        assert!(Inspection { has_old: true, ..clean() }.needs_pruning());
        assert!(Inspection { excess: 1, ..clean() }.needs_pruning());
    }

    #[test]
    fn a_floor_rises_up_to_the_published_seq_and_never_falls() {
        assert_eq!(clean().new_floor(25, &cutoffs()), 15);
        assert_eq!(Inspection { published: 12, ..clean() }.new_floor(25, &cutoffs()), 12);
        assert_eq!(Inspection { published: 5, ..clean() }.new_floor(25, &cutoffs()), 10);
    }
}
