use internal_notifications_models::{LiveEvent, UserId};
use pusher_protocol::{EventName, limits};
use tokio::time::{Instant, timeout_at};

use crate::config::ChannelPrefix;
use crate::realtime::{LiveData, Realtime, RealtimeError};
use crate::store::Unpublished;

/// How the publication of one inbox's changes ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// They were published up to this seq.
    Published(UserId, u64),
    /// The engine rejected them permanently, up to this seq.
    Refused(UserId, u64, RealtimeError),
    /// They must be published again.
    Failed(UserId, RealtimeError),
}

impl Outcome {
    /// Returns the value of the metric's label `outcome`.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Published(..) => "published",
            Self::Refused(..) => "refused",
            Self::Failed(..) => "failed",
        }
    }
}

/// Publishes one inbox's changes, in order, and gives up at the deadline. Returns `None` if there
/// are no changes.
pub(super) async fn publish(
    realtime: &dyn Realtime,
    channels: &ChannelPrefix,
    work: Unpublished,
    deadline: Option<Instant>,
) -> Option<Outcome> {
    let seq = work.changes.last()?.stamp.seq;
    let published = async {
        let channel = channels
            .channel(&work.user_id)
            .map_err(|error| RealtimeError::permanent("the user can have no channel").with_source(error))?;
        let events = events(&work)
            .map_err(|error| RealtimeError::permanent("the event has no name").with_source(error))?;
        realtime.publish(&channel, &events).await
    };
    let published = match deadline {
        Some(deadline) => timeout_at(deadline, published)
            .await
            .unwrap_or_else(|_| Err(RealtimeError::retryable("the engine did not accept it in time"))),
        None => published.await,
    };
    Some(match published {
        Ok(()) => Outcome::Published(work.user_id, seq),
        Err(error) if error.is_retryable() => Outcome::Failed(work.user_id, error),
        Err(error) => Outcome::Refused(work.user_id, seq, error),
    })
}

fn events(work: &Unpublished) -> Result<Vec<LiveData>, pusher_protocol::InvalidEventName> {
    // An inbox that is far behind gets one thin event with its newest position.
    let most = if work.far_behind { 0 } else { limits::EVENT_DATA };
    let encoded = work.changes.iter().map(|change| LiveEvent::encode(change, most));
    encoded.map(|(event, data)| Ok(LiveData::new(EventName::new(event)?, data))).collect()
}
