//! The calls of the store that run beside the publishing.

use std::slice;
use std::time::Duration;

use internal_notifications_models::UserId;
use pusher_protocol::limits;
use tokio::time::Instant;

use crate::store::{PublishLimits, Store, StoreError, StoreErrorKind, Unpublished};

/// How many inboxes one query of the store returns.
pub(super) const QUERY_LIMIT: usize = 1000;
/// What the store returns for each inbox.
const MOST: PublishLimits = PublishLimits::new(50, limits::EVENT_DATA);
/// How long inboxes of a shared store may be published after they were claimed. Less than the
/// store's lease, which starts later, so that no other server takes an inbox over meanwhile.
const PUBLICATION: Duration = Duration::from_secs(4);

/// What became of a claim.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) users: Vec<UserId>,
    /// When publishing must have ended, if the inboxes are leased.
    pub(super) deadline: Option<Instant>,
    pub(super) outcome: Result<Readable, StoreError>,
}

/// The unpublished changes of the inboxes that can be read, and the others.
#[derive(Debug, Default)]
pub(super) struct Readable {
    pub(super) unpublished: Vec<Unpublished>,
    pub(super) damaged: Vec<(UserId, StoreError)>,
}

/// Claims these inboxes, each with the seq up to which it is published.
pub(super) async fn claim(store: &dyn Store, inboxes: Vec<(UserId, u64)>) -> Claimed {
    let deadline = store.is_shared().then(|| Instant::now() + PUBLICATION);
    let outcome = readable(store, &inboxes).await;
    Claimed { users: inboxes.into_iter().map(|(user_id, _)| user_id).collect(), deadline, outcome }
}

/// Reads the unpublished changes of these inboxes. Skips an inbox that cannot be read, so that it
/// does not block the others; if none can be read, the store has failed.
async fn readable(store: &dyn Store, inboxes: &[(UserId, u64)]) -> Result<Readable, StoreError> {
    let unusable = match store.claim_unpublished(inboxes, MOST).await {
        Err(error) if error.kind() == StoreErrorKind::Unusable => error,
        done => return done.map(|unpublished| Readable { unpublished, damaged: Vec::new() }),
    };
    let mut readable = Readable::default();
    for one in inboxes {
        match store.claim_unpublished(slice::from_ref(one), MOST).await {
            Ok(changes) => readable.unpublished.extend(changes),
            Err(error) if error.kind() == StoreErrorKind::Unusable => {
                readable.damaged.push((one.0.clone(), error));
            }
            Err(error) => return Err(error),
        }
    }
    let damaged = readable.damaged.len();
    if damaged > 1 && damaged == inboxes.len() { Err(unusable) } else { Ok(readable) }
}

/// What to do after marks were recorded. Before that, the store would report inboxes whose marks
/// it does not have yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct AfterRecording {
    /// Query which inboxes have unpublished changes.
    pub(super) query: bool,
    /// Measure the age of the oldest unpublished change.
    pub(super) measure: bool,
}

/// What became of recorded marks.
#[derive(Debug)]
pub(super) struct Recorded {
    /// The users who still have unpublished changes.
    pub(super) behind: Result<Vec<UserId>, StoreError>,
    pub(super) found: Option<Result<Vec<UserId>, StoreError>>,
    pub(super) age: Option<Result<Option<Duration>, StoreError>>,
}

/// Records marks, and then queries and measures.
pub(super) async fn record(store: &dyn Store, marks: Vec<(UserId, u64)>, then: AfterRecording) -> Recorded {
    let behind = match marks.is_empty() {
        true => Ok(Vec::new()),
        false => store.mark_published(&marks).await,
    };
    let mut recorded = Recorded { behind, found: None, age: None };
    if let Err(error) = &recorded.behind {
        recorded.found = then.query.then(|| Err(error.clone()));
        return recorded;
    }
    if then.query {
        recorded.found = Some(store.unpublished_users(QUERY_LIMIT).await);
    }
    if then.measure {
        recorded.age = Some(store.unpublished_age().await);
    }
    recorded
}
