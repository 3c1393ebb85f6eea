use std::collections::BTreeMap;
use std::time::Duration;

use internal_notifications_models::UserId;
use tokio::time::Instant;

/// How far inboxes were published, as far as the store has not recorded it yet.
///
/// Recording it after every push would double the number of syncs. After a crash, the changes
/// published in the last second are published again, and replicas ignore them.
#[derive(Debug, Default)]
pub(super) struct PublishedMarks {
    seqs: BTreeMap<UserId, u64>,
    oldest: Option<Instant>,
}

/// How long a mark may stay unrecorded.
const MAX_AGE: Duration = Duration::from_secs(1);
/// How many marks may stay unrecorded.
const MAX_COUNT: usize = 1000;

impl PublishedMarks {
    /// Returns the mark of a user, or 0 if the store has a newer one.
    pub(super) fn of(&self, user_id: &UserId) -> u64 {
        self.seqs.get(user_id).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, user_id: UserId, seq: u64) {
        self.seqs.insert(user_id, seq);
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// Waits until the marks are due to be recorded; for ever if there are none.
    pub(super) async fn due(&self) {
        match self.oldest {
            Some(oldest) => tokio::time::sleep_until(oldest + MAX_AGE).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn are_due(&self) -> bool {
        self.seqs.len() >= MAX_COUNT || self.oldest.is_some_and(|oldest| oldest.elapsed() >= MAX_AGE)
    }

    pub(super) fn all(&self) -> Vec<(UserId, u64)> {
        self.seqs.iter().map(|(user_id, seq)| (user_id.clone(), *seq)).collect()
    }

    /// Forgets all marks, once the store has recorded them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Waits for a whole [`MAX_AGE`] again, after recording them has failed.
    pub(super) fn postpone(&mut self) {
        self.oldest = Some(Instant::now());
    }
}
