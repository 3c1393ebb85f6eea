//! Records what the dispatcher publishes, delays it as a network would, and loses events as
//! planned.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{LiveEvent, UserId};
use internal_notifications_server::realtime::{EmbeddedBroker, LiveData, Realtime, RealtimeError};
use pusher_protocol::ChannelName;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::clock::now;
use crate::network::SERVER;
use crate::world::World;

/// The embedded broker behind a simulated delay.
pub(crate) struct Recorder {
    pub(crate) world: Arc<World>,
    pub(crate) broker: EmbeddedBroker,
    pub(crate) rng: Mutex<StdRng>,
}

#[async_trait]
impl Realtime for Recorder {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        let user = channel.as_str().strip_prefix("private-").unwrap_or_default();
        for event in events {
            let wait = self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..80);
            tokio::time::sleep(Duration::from_millis(wait)).await;
            if self.record_and_decide_loss(user, event) {
                continue;
            }
            self.broker.publish(channel, std::slice::from_ref(event)).await?;
        }
        Ok(())
    }

    fn concurrency(&self) -> usize {
        2
    }

    async fn close_connections(
        &self,
        user_id: &UserId,
        channel: Option<&ChannelName>,
    ) -> Result<(), RealtimeError> {
        self.broker.close_connections(user_id, channel).await
    }
}

impl Recorder {
    /// Records an event, and returns whether it gets lost.
    fn record_and_decide_loss(&self, user: &str, event: &LiveData) -> bool {
        let mut seen = self.world.seen();
        let stamp = match LiveEvent::parse(&event.data) {
            Some(LiveEvent::Change(change)) => change.stamp,
            Some(LiveEvent::Thin(stamp)) => stamp,
            _ => {
                seen.problem(now(), format_args!("an event of {user} without a position"));
                return false;
            }
        };
        let seq = stamp.seq;
        let published = seen.published.entry(user.to_owned()).or_default();
        let newest = std::mem::replace(&mut published.newest, seq);
        published.seqs.insert(seq);
        if seq <= newest {
            seen.problem(now(), format_args!("{user}'s change {seq} was published after {newest}"));
        }
        let to_lose = seen.to_lose.entry(user.to_owned()).or_default();
        let is_lost = *to_lose > 0;
        *to_lose = to_lose.saturating_sub(1);
        drop(seen);
        let how = if is_lost { "lost" } else { "published" };
        self.world.note(SERVER, format_args!("{how} {user} {seq}:{} pending {}", stamp.tag, stamp.pending));
        is_lost
    }
}
