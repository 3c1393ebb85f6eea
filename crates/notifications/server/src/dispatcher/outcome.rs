use internal_notifications_models::{LiveEvent, UserId};
use pusher_protocol::{EventName, limits};
use tokio::time::{Instant, timeout_at};

use crate::config::ChannelPrefix;
use crate::realtime::{LiveData, Realtime, RealtimeError};
use crate::store::Unpublished;

/// What became of one inbox's changes.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Published up to a seq.
    Published(UserId, u64),
    /// Refused for good, up to a seq.
    Refused(UserId, u64, RealtimeError),
    /// To be tried again.
    Later(UserId, RealtimeError),
}

impl Outcome {
    /// Its name among the metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Published(..) => "published",
            Self::Refused(..) => "refused",
            Self::Later(..) => "failed",
        }
    }
}

/// Publishes one inbox's changes, in order, and gives it up at the deadline. `None` when it has none.
pub(super) async fn publish(
    realtime: &dyn Realtime,
    channels: &ChannelPrefix,
    work: Unpublished,
    deadline: Option<Instant>,
) -> Option<Outcome> {
    let seq = work.changes.last()?.stamp.seq;
    let published = async {
        let refused = |error: &dyn std::fmt::Display| RealtimeError::refused(error.to_string());
        let channel = channels.channel(&work.user_id).map_err(|error| refused(&error))?;
        let events = events(&work).map_err(|error| refused(&error))?;
        realtime.publish(&channel, &events).await
    };
    let published = match deadline {
        Some(deadline) => timeout_at(deadline, published)
            .await
            .unwrap_or_else(|_| Err(RealtimeError::passing("the engine did not take it in time"))),
        None => published.await,
    };
    Some(match published {
        Ok(()) => Outcome::Published(work.user_id, seq),
        Err(error) if error.is_retryable() => Outcome::Later(work.user_id, error),
        Err(error) => Outcome::Refused(work.user_id, seq, error),
    })
}

fn events(work: &Unpublished) -> Result<Vec<LiveData>, pusher_protocol::InvalidEventName> {
    // Of an inbox that is far behind only the newest position is told: a thin event.
    let most = if work.far_behind { 0 } else { limits::EVENT_DATA };
    let encoded = work.changes.iter().map(|change| LiveEvent::encode(change, most));
    encoded.map(|(event, data)| Ok(LiveData { event: EventName::new(event)?, data })).collect()
}
