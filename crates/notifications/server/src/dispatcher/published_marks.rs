use std::collections::BTreeMap;
use std::time::Duration;

use internal_notifications_models::UserId;
use tokio::time::Instant;

/// How far inboxes were published, as far as the store has not recorded it yet.
///
/// Recording it after every push would double the number of syncs. After a crash, the changes
/// published in the last second are published again, and replicas ignore them.
#[derive(Debug)]
pub(super) struct PublishedMarks {
    /// How long a mark may stay unrecorded.
    max_age: Duration,
    seqs: BTreeMap<UserId, u64>,
    /// The marks that the store is recording.
    recording: BTreeMap<UserId, u64>,
    due: Option<Instant>,
}

/// How long a mark may stay unrecorded if the inbox is not leased, and how long to wait after
/// recording failed.
const MAX_AGE: Duration = Duration::from_secs(1);
/// How many marks may stay unrecorded.
const MAX_COUNT: usize = 1000;

impl PublishedMarks {
    /// Returns no marks. In a shared store marks end leases, so they are recorded at once.
    pub(super) fn new(is_shared: bool) -> Self {
        let max_age = if is_shared { Duration::ZERO } else { MAX_AGE };
        Self { max_age, seqs: BTreeMap::new(), recording: BTreeMap::new(), due: None }
    }

    /// Returns the mark of a user, or 0 if the store has a newer one.
    pub(super) fn of(&self, user_id: &UserId) -> u64 {
        self.seqs.get(user_id).or_else(|| self.recording.get(user_id)).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, user_id: UserId, seq: u64) {
        self.seqs.insert(user_id, seq);
        let now = Instant::now();
        self.due.get_or_insert_with(|| now + self.max_age);
        if self.seqs.len() == MAX_COUNT {
            self.due = Some(now);
        }
    }

    /// Returns how many inboxes have a mark.
    pub(super) fn len(&self) -> usize {
        self.seqs.len() + self.recording.len()
    }

    /// Returns when the marks are due to be recorded, or `None` if none wait for it.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Returns all marks, for the store to record them.
    pub(super) fn begin_recording(&mut self) -> Vec<(UserId, u64)> {
        self.due = None;
        self.recording = std::mem::take(&mut self.seqs);
        self.recording.iter().map(|(user_id, seq)| (user_id.clone(), *seq)).collect()
    }

    /// Forgets the marks that the store has recorded, and returns their users.
    pub(super) fn recorded(&mut self) -> impl Iterator<Item = UserId> + use<> {
        std::mem::take(&mut self.recording).into_keys()
    }

    /// Keeps the marks that the store could not record. They are due again a second later.
    pub(super) fn not_recorded(&mut self) {
        for (user_id, seq) in std::mem::take(&mut self.recording) {
            self.seqs.entry(user_id).or_insert(seq);
        }
        self.due = (!self.seqs.is_empty()).then(|| Instant::now() + MAX_AGE);
    }
}
