use internal_notifications_models::UserId;

use super::failure::Failure;
use super::row::{Columns, unsigned};
use crate::rules::cutoffs::Cutoffs;
use crate::{Drift, PassedOver, StoreError};

/// The most rows that the inboxes inspected by one statement may have, roughly. A larger inbox is
/// inspected alone.
pub(crate) const GROUP_ROWS: u64 = 20_000;

/// An inbox to sweep.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) user_id: UserId,
    /// The key of the inbox.
    pub(crate) inbox: i64,
    pending: u64,
    pub(crate) seq: u64,
}

impl Candidate {
    /// Reads a row with the columns `user_id`, `key`, `pending` and `seq` of an inbox.
    pub(crate) fn new(row: &impl Columns) -> Result<Self, Failure> {
        Ok(Self {
            user_id: UserId::new(row.text("user_id")?)?,
            inbox: row.number("key")?,
            pending: unsigned(row.number("pending")?),
            seq: unsigned(row.number("seq")?),
        })
    }

    /// Returns roughly how many rows an inspection reads.
    ///
    /// It leaves out removed notifications. SQLite reads those too that are newer than the excess.
    pub(crate) fn rows(&self, cutoffs: &Cutoffs) -> u64 {
        let most = cutoffs.count.cast_unsigned();
        let kept = if self.seq > most { most } else { 0 };
        self.pending.saturating_add(kept).saturating_add(1)
    }

    pub(crate) fn passed_over(self, error: &StoreError) -> PassedOver {
        PassedOver::new(self.user_id, self.pending, error.to_string())
    }
}

/// The next inboxes of a sweep, in the order of their users.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) inboxes: Vec<Candidate>,
    /// The user after whom to continue.
    pub(crate) next: Option<UserId>,
    /// How many were passed over because their user id cannot be read.
    pub(crate) unreadable: u64,
}

impl Candidates {
    /// Adds a page of at most `limit` rows with the columns of a [`Candidate`]. If none of a full
    /// page can be read, returns the key of the inbox after which to read another page.
    pub(crate) fn add(&mut self, rows: &[impl Columns], limit: usize) -> Result<Option<i64>, Failure> {
        let mut passed_over = Vec::new();
        for row in rows {
            match Candidate::new(row) {
                Ok(inbox) => {
                    self.inboxes.push(inbox);
                    self.report(&mut passed_over);
                }
                Err(failure) => passed_over.push((row.number("key")?, failure)),
            }
        }
        let last = self.inboxes.last().filter(|_| rows.len() == limit);
        self.next = last.map(|last| last.user_id.clone());
        if self.next.is_some() {
            // The next page begins with what follows the last inbox that can be read.
            return Ok(None);
        }
        let after = passed_over.last().filter(|_| rows.len() == limit).map(|(key, _)| *key);
        self.report(&mut passed_over);
        Ok(after)
    }

    fn report(&mut self, passed_over: &mut Vec<(i64, Failure)>) {
        for (key, failure) in passed_over.drain(..) {
            let error: &dyn std::error::Error = &StoreError::from(failure);
            tracing::error!(
                error,
                inbox.key = key,
                "the user id of an inbox cannot be read; it is not swept"
            );
            self.unreadable += 1;
        }
    }
}

/// What one transaction of a sweep cleaned up.
#[derive(Debug, Default)]
pub(crate) struct Cleaned {
    pub(crate) pruned: u64,
    pub(crate) trimmed: u64,
    pub(crate) drifts: Vec<Drift>,
    /// The inboxes that are not finished, as they are now.
    pub(crate) left: Vec<Inspection>,
}

/// What a sweep finds in an inbox.
///
/// It remains usable after other changes of the inbox: what was too old or too much then is removed
/// even if it is no longer too much, as if the sweep had come first.
#[derive(Clone, Debug)]
pub(crate) struct Inspection {
    pub(crate) user_id: UserId,
    /// The key of the inbox.
    pub(crate) inbox: i64,
    /// The pending count of the head.
    counter: u64,
    /// The number of pending notifications.
    counted: u64,
    /// Notifications up to this seq are removed already.
    pub(crate) removed: i64,
    /// Whether the oldest notification is too old.
    has_old: bool,
    /// The seq up to which notifications exceed the most that an inbox retains; 0 for none.
    pub(crate) excess: i64,
    seq: u64,
    pub(crate) floor: u64,
    /// Whether the oldest change of the log is too old.
    has_expired: bool,
    /// The published seq.
    pub(crate) published: u64,
    has_forgettable: bool,
}

impl Inspection {
    /// Reads a row of the query with which a store inspects inboxes.
    pub(crate) fn new(row: &impl Columns) -> Result<Self, Failure> {
        let seq = unsigned(row.number("seq")?);
        let published = row.number_if_any("published")?.map_or(seq, unsigned);
        Ok(Self {
            user_id: UserId::new(row.text("user_id")?)?,
            inbox: row.number("key")?,
            counter: unsigned(row.number("pending")?),
            counted: unsigned(row.number("counted")?),
            removed: row.number_if_any("oldest")?.unwrap_or(0).saturating_sub(1),
            has_old: row.flag("has_old")?,
            excess: row.number_if_any("excess")?.unwrap_or(0),
            seq,
            floor: unsigned(row.number("floor")?),
            has_expired: row.flag("has_expired")?,
            published,
            has_forgettable: row.flag("has_forgettable")?,
        })
    }

    /// Returns whether the pending count differs from the number of pending notifications.
    pub(crate) fn has_drift(&self) -> bool {
        self.counter != self.counted
    }

    /// Notes that the pending count was repaired.
    pub(crate) fn repaired(&mut self) {
        self.counter = self.counted;
    }

    /// Returns whether there are notifications to remove.
    pub(crate) fn needs_pruning(&self) -> bool {
        self.has_old || self.excess > 0
    }

    /// Returns whether there are changes to cut from a log whose head has this seq.
    pub(crate) fn needs_trimming(&self, seq: u64, cutoffs: &Cutoffs) -> bool {
        let expired = self.floor + u64::from(self.has_expired);
        cutoffs.floor(seq, expired, Some(self.published)) > self.floor
    }

    /// Returns the seq up to which one step may cut the log, if it may change this many rows.
    pub(crate) fn last_to_trim(&self, rows: usize) -> u64 {
        self.floor.saturating_add(rows as u64).min(self.published)
    }

    /// Returns whether there is anything to do.
    pub(crate) fn needs_cleaning(&self, cutoffs: &Cutoffs) -> bool {
        self.has_drift()
            || self.needs_pruning()
            || self.needs_trimming(self.seq, cutoffs)
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
            removed: 0,
            has_old: false,
            excess: 0,
            seq: 20,
            floor: 10,
            has_expired: false,
            published: 20,
            has_forgettable: false,
        }
    }

    fn cutoffs() -> Cutoffs {
        let keep = Retention::default().with_log_count(Some(10)).with_count(Some(100));
        Sweep::new(keep, Timestamp::UNIX_EPOCH).cutoffs()
    }

    #[test]
    fn each_finding_makes_an_inbox_need_cleaning() {
        assert!(!clean().needs_cleaning(&cutoffs()));
        for dirty in [
            Inspection { counted: 2, ..clean() },
            Inspection { excess: 1, ..clean() },
            Inspection { has_old: true, ..clean() },
            Inspection { has_expired: true, ..clean() },
            Inspection { seq: 21, published: 21, ..clean() },
            Inspection { has_forgettable: true, ..clean() },
        ] {
            assert!(dirty.needs_cleaning(&cutoffs()), "{dirty:?}");
        }
    }

    #[test]
    fn a_drift_is_repaired_once() {
        let mut drifted = Inspection { counted: 2, ..clean() };
        assert!(drifted.has_drift() && !clean().has_drift());
        drifted.repaired();
        assert!(!drifted.has_drift());
    }

    #[test]
    fn old_notifications_and_excess_ones_are_pruned() {
        assert!(!clean().needs_pruning());
        assert!(Inspection { has_old: true, ..clean() }.needs_pruning());
        assert!(Inspection { excess: 1, ..clean() }.needs_pruning());
    }

    #[test]
    fn a_log_is_trimmed_up_to_its_published_seq() {
        assert!(!clean().needs_trimming(20, &cutoffs()));
        assert!(clean().needs_trimming(21, &cutoffs()));
        assert!(!Inspection { published: 10, ..clean() }.needs_trimming(25, &cutoffs()));
        assert!(!Inspection { published: 10, has_expired: true, ..clean() }.needs_trimming(20, &cutoffs()));
        assert_eq!([0, 5, 90].map(|rows| clean().last_to_trim(rows)), [10, 15, 20]);
    }

    #[test]
    fn an_inspection_reads_the_pending_notifications_and_at_most_as_many_as_are_retained() {
        let candidate = |pending, seq| Candidate { user_id: "ada".parse().unwrap(), inbox: 1, pending, seq };
        assert_eq!(candidate(7, 100).rows(&cutoffs()), 8);
        assert_eq!(candidate(7, 101).rows(&cutoffs()), 108);
    }
}
