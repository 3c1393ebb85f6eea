use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_client::{BatchEvent, HttpApi};
use pusher_protocol::{ChannelName, limits};

use super::{Connections, LiveData, Realtime, RealtimeError};

/// A Channels engine elsewhere, over its HTTP API.
#[derive(Clone, Debug)]
pub struct Engine(pub HttpApi);

#[async_trait]
impl Realtime for Engine {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        for part in events.chunks(limits::EVENTS_PER_BATCH) {
            let batch: Vec<BatchEvent> = part
                .iter()
                .map(|LiveData { event, data }| BatchEvent::new(channel, event, data.clone()))
                .collect::<Result<_, _>>()
                .map_err(told)?;
            self.0.trigger_batch(&batch).await.map_err(told)?;
        }
        Ok(())
    }

    fn parallel(&self) -> usize {
        16
    }
}

#[async_trait]
impl Connections for Engine {
    /// An engine knows a user's connections by their sign-in alone.
    async fn close(&self, user_id: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        self.0.terminate_user_connections(user_id.as_str()).await.map_err(told)
    }
}

fn told(error: pusher_client::Error) -> RealtimeError {
    match error.is_retryable() {
        true => RealtimeError::passing(error.to_string()),
        false => RealtimeError::refused(error.to_string()),
    }
}
