use std::time::Duration;

use internal_notifications_models::{LiveEvent, UserId};
use pusher_protocol::{EventName, limits};
use tokio::time::{Instant, timeout_at};

use super::engine_health::Phase;
use crate::config::ChannelPrefix;
use crate::realtime::{ChannelEvents, LiveData, Realtime, RealtimeError, RealtimeErrorKind};
use crate::store::Unpublished;

/// The changes of one inbox as events.
#[derive(Debug)]
pub(super) struct InboxEvents {
    pub(super) user_id: UserId,
    /// The seq of the last change.
    pub(super) seq: u64,
    pub(super) events: ChannelEvents,
    /// When publishing them must have ended, if the inbox is leased.
    pub(super) deadline: Option<Instant>,
}

/// A request to the engine: the events of one inbox, or of several that fit into it together.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) inboxes: Vec<Inbox>,
    batch: Vec<ChannelEvents>,
    deadline: Option<Instant>,
    /// Whether the inbox must not share a request, because it has failed before.
    pub(super) is_alone: bool,
    pub(super) phase: Phase,
    pub(super) sent: Instant,
}

/// An inbox in a request.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) user_id: UserId,
    /// The seq of the last change.
    pub(super) seq: u64,
    /// How many events it has in the request.
    pub(super) events: usize,
}

/// How a request ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Published,
    /// The engine permanently rejected so many of the events of the request's only inbox.
    Refused(usize, RealtimeError),
    /// The events must be published again.
    Failed(RealtimeError),
}

impl InboxEvents {
    /// Encodes the changes of an inbox. Returns `None` if there are none.
    pub(super) fn encode(
        channels: &ChannelPrefix,
        inbox: Unpublished,
        deadline: Option<Instant>,
    ) -> Option<Result<Self, (UserId, u64, RealtimeError)>> {
        let seq = inbox.changes.last()?.stamp.seq;
        let events = channel_events(channels, &inbox);
        let user_id = inbox.user_id;
        Some(match events {
            Ok(events) => Ok(Self { user_id, seq, events, deadline }),
            Err(error) => Err((user_id, seq, error)),
        })
    }

    /// Returns how many events there are.
    pub(super) fn count(&self) -> usize {
        self.events.events.len()
    }

    /// Returns about how many bytes the events take in a request, where their data is a JSON
    /// string.
    pub(super) fn bytes(&self) -> usize {
        let channel = self.events.channel.as_str().len();
        let escaped = |data: &str| data.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        let bytes = |event: &LiveData| {
            event.data.len() + escaped(&event.data) + event.event.as_str().len() + channel + 40
        };
        self.events.events.iter().map(bytes).sum()
    }
}

impl Request {
    pub(super) fn new(inboxes: Vec<InboxEvents>, is_alone: bool, phase: Phase) -> Self {
        let deadline = inboxes.iter().filter_map(|inbox| inbox.deadline).min();
        let split = |of: InboxEvents| {
            let events = of.count();
            (Inbox { user_id: of.user_id, seq: of.seq, events }, of.events)
        };
        let (inboxes, batch) = inboxes.into_iter().map(split).unzip();
        Self { inboxes, batch, deadline, is_alone, phase, sent: Instant::now() }
    }

    /// Sends the request, and gives up after `limit` or at the deadline of one of its inboxes.
    pub(super) async fn send(&self, realtime: &dyn Realtime, limit: Duration) -> Outcome {
        let limit = self.sent + limit;
        let until = self.deadline.map_or(limit, |deadline| deadline.min(limit));
        timeout_at(until, self.publish(realtime)).await.unwrap_or_else(|_| {
            Outcome::Failed(RealtimeError::retryable("the engine did not accept it in time"))
        })
    }

    async fn publish(&self, realtime: &dyn Realtime) -> Outcome {
        match (realtime.publish_batch(&self.batch).await, &self.batch[..]) {
            (Ok(()), _) => Outcome::Published,
            (Err(error), [inbox]) if error.kind() == RealtimeErrorKind::Permanent => {
                publish_thin(realtime, inbox, error).await
            }
            (Err(error), _) => Outcome::Failed(error),
        }
    }
}

/// Publishes one thin event with the newest position instead of several events that the engine has
/// rejected together: clients then catch up at once, and one request is enough.
async fn publish_thin(realtime: &dyn Realtime, inbox: &ChannelEvents, rejection: RealtimeError) -> Outcome {
    let refused = inbox.events.len();
    let thin = inbox.events.last().filter(|_| refused > 1).and_then(thin);
    let Some(thin) = thin else { return Outcome::Refused(refused, rejection) };
    match realtime.publish(&inbox.channel, &[thin]).await {
        Err(error) if error.kind() != RealtimeErrorKind::Permanent => Outcome::Failed(error),
        Ok(()) | Err(_) => Outcome::Refused(refused, rejection),
    }
}

/// Returns an event with the position of this one only.
fn thin(LiveData { event, data }: &LiveData) -> Option<LiveData> {
    let stamp = match LiveEvent::parse(data)? {
        LiveEvent::Change(change) => change.stamp,
        LiveEvent::Thin(stamp) => stamp,
        _ => return None,
    };
    Some(LiveData::new(event.clone(), LiveEvent::thin(stamp)))
}

fn channel_events(channels: &ChannelPrefix, inbox: &Unpublished) -> Result<ChannelEvents, RealtimeError> {
    let channel = channels
        .channel(&inbox.user_id)
        .map_err(|error| RealtimeError::permanent("the user can have no channel").with_source(error))?;
    // An inbox that is far behind gets one thin event with its newest position.
    let most = if inbox.far_behind { 0 } else { limits::EVENT_DATA };
    let encoded = inbox.changes.iter().map(|change| LiveEvent::encode(change, most));
    let events: Result<_, pusher_protocol::InvalidEventName> =
        encoded.map(|(event, data)| Ok(LiveData::new(EventName::new(event)?, data))).collect();
    let events =
        events.map_err(|error| RealtimeError::permanent("the event has no name").with_source(error))?;
    Ok(ChannelEvents::new(channel, events))
}
