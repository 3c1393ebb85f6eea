//! What an inbox keeps across restarts.

use std::collections::BTreeSet;
use std::sync::Arc;

use internal_notifications_models::{Head, InboxNotification, NotificationId, Position, ResetReason};
use serde::{Deserialize, Serialize};

use super::Inbox;
use super::announcer::{Announced, Announcer};
use super::catch_up::CatchUp;
use super::history::History;
use super::overlay::{Overlay, PendingWrite};
use super::recent_changes::RecentChanges;
use super::window::Window;
use crate::RefusedWrite;

/// The format of the records that this version writes. Raise it with any change of [`Replica`] that
/// earlier versions would not read, or would read differently. [`Lasting`] must keep its meaning.
const FORMAT: u32 = 1;

/// A record that cannot be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// A newer version wrote the record. It must be left as it is.
    #[error("the record has the format {0}, and this version reads formats up to {FORMAT}")]
    Newer(u32),
    /// The bytes are no record.
    #[error("the record cannot be read")]
    #[non_exhaustive]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// A record of an older format: only its [`Lasting`] part is read.
#[derive(Deserialize)]
struct OlderRecord {
    lasting: Lasting,
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    lasting: Lasting,
    replica: Replica,
}

/// The part that newer versions take from a record of an older format.
#[derive(Serialize, Deserialize)]
struct Lasting {
    position: Position,
    is_loaded: bool,
    announced: Announced,
    writes: Vec<PendingWrite>,
    refusals: Vec<Arc<RefusedWrite>>,
}

/// The part that belongs to the format.
#[derive(Serialize, Deserialize)]
struct Replica {
    pending: u64,
    low: u64,
    /// Newest first.
    rows: Vec<Arc<InboxNotification>>,
    catch_up: Option<SavedCatchUp>,
}

#[derive(Serialize, Deserialize)]
struct SavedCatchUp {
    /// What it has still to announce, newest first.
    waiting: Vec<Arc<InboxNotification>>,
    gone: BTreeSet<NotificationId>,
    needs_snapshot: bool,
    reason: Option<ResetReason>,
}

/// Keeping an inbox across restarts.
impl Inbox {
    /// Returns a record of the inbox, to [`restore`](Self::restore) it later.
    ///
    /// Keep the record before you act on the [`InboxEvent`](crate::InboxEvent)s that led to it, and
    /// before you send a write or tell the app that it is queued. Then a crash loses no write, and
    /// nothing is announced again.
    #[expect(clippy::expect_used, reason = "a record has neither maps nor fallible parts")]
    pub fn save(&self) -> Vec<u8> {
        let catch_up = self.catch_up.as_ref().map(|catch_up| SavedCatchUp {
            waiting: self.announcer.waiting_rows().cloned().collect(),
            gone: catch_up.gone_so_far().clone(),
            needs_snapshot: catch_up.needs_snapshot(),
            reason: catch_up.reason(),
        });
        let record = Record {
            format: FORMAT,
            lasting: Lasting {
                position: self.head.position,
                is_loaded: self.is_loaded,
                announced: self.announcer.announced(),
                writes: self.overlay.iter().cloned().collect(),
                refusals: self.refusals.clone(),
            },
            replica: Replica {
                pending: self.head.pending,
                low: self.low(),
                rows: self.window.rows().cloned().collect(),
                catch_up,
            },
        };
        serde_json::to_vec(&record).expect("a record is JSON")
    }

    /// Restores the inbox of a record, for at most `window` notifications (at least 1).
    ///
    /// It shows what the saved one showed, and its first query is a catch-up. Of a record of an
    /// older format it takes the position, what was announced and the writes; the notifications
    /// come with a snapshot.
    ///
    /// # Errors
    /// Returns [`InvalidRecord`] if the bytes are no record, or one of a newer format.
    pub fn restore(record: &[u8], window: usize) -> Result<Self, InvalidRecord> {
        let AnyFormat { format } = read(record)?;
        if format > FORMAT {
            return Err(InvalidRecord::Newer(format));
        }
        if format < FORMAT {
            let OlderRecord { lasting } = read(record)?;
            let replica = Replica::missing(&lasting);
            return Ok(Self::restored(lasting, replica, window));
        }
        let Record { lasting, replica, .. } = read(record)?;
        Ok(Self::restored(lasting, replica, window))
    }

    fn restored(lasting: Lasting, replica: Replica, max: usize) -> Self {
        let max = max.max(1);
        let mut window = Window::new(max);
        window.replace(replica.rows.into_iter().map(Arc::unwrap_or_clone).collect(), replica.low);
        let (mut history, mut recent_changes) = (History::default(), RecentChanges::default());
        history.restart(lasting.position);
        recent_changes.restart(lasting.position);
        let mut announcer = Announcer::restored(lasting.announced, max);
        let mut catch_up = CatchUp::default();
        if let Some(saved) = replica.catch_up {
            for row in saved.waiting {
                let added = row.added;
                announcer.waiting().insert(row, added);
            }
            catch_up = CatchUp::restored(saved.gone, saved.needs_snapshot.then_some(saved.reason));
        }
        Self {
            window,
            head: Head::new(lasting.position, replica.pending),
            history,
            recent_changes,
            overlay: Overlay::restored(lasting.writes),
            announcer,
            early_page: None,
            catch_up: Some(catch_up),
            is_loaded: lasting.is_loaded,
            refusals: lasting.refusals,
        }
    }
}

impl Replica {
    /// Returns a replica that waits for a snapshot.
    fn missing(lasting: &Lasting) -> Self {
        let reason = lasting.is_loaded.then_some(ResetReason::Diverged);
        Self {
            pending: 0,
            low: lasting.position.seq.saturating_add(1),
            rows: Vec::new(),
            catch_up: Some(SavedCatchUp {
                waiting: Vec::new(),
                gone: BTreeSet::new(),
                needs_snapshot: true,
                reason,
            }),
        }
    }
}

fn read<'de, T: Deserialize<'de>>(record: &'de [u8]) -> Result<T, InvalidRecord> {
    serde_json::from_slice(record).map_err(|error| InvalidRecord::Unreadable(error.into()))
}

#[cfg(test)]
mod tests;
