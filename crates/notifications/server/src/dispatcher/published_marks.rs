use std::collections::BTreeMap;
use std::time::Duration;

use internal_notifications_models::UserId;
use tokio::time::Instant;

/// Up to which seq inboxes were published, as far as the store does not know it yet. Writing that for every push would double the syncs;
/// after a crash what was published in the last second is published again, which replicas ignore.
#[derive(Debug, Default)]
pub(super) struct Marks {
    known: BTreeMap<UserId, u64>,
    since: Option<Instant>,
}

/// How long a mark may wait.
const WAIT: Duration = Duration::from_secs(1);
/// How many marks may wait.
const MOST: usize = 1000;

impl Marks {
    /// The mark of a user, 0 where the store knows better.
    pub(super) fn of(&self, user_id: &UserId) -> u64 {
        self.known.get(user_id).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, user_id: UserId, seq: u64) {
        self.known.insert(user_id, seq);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Waits until they are to be written; for ever when there are none.
    pub(super) async fn due(&self) {
        match self.since {
            Some(since) => tokio::time::sleep_until(since + WAIT).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn are_due(&self) -> bool {
        self.known.len() >= MOST || self.since.is_some_and(|since| since.elapsed() >= WAIT)
    }

    pub(super) fn all(&self) -> Vec<(UserId, u64)> {
        self.known.iter().map(|(user_id, seq)| (user_id.clone(), *seq)).collect()
    }

    /// They were written.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// They could not be written; wait again.
    pub(super) fn postpone(&mut self) {
        self.since = Some(Instant::now());
    }
}
