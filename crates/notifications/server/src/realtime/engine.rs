use async_trait::async_trait;
use pusher_client::{BatchEvent, HttpApi};
use pusher_protocol::{ChannelName, limits};

use super::{LiveData, Realtime, RealtimeError};

/// A Channels engine elsewhere, over its HTTP API.
#[derive(Clone, Debug)]
pub struct Engine(pub HttpApi);

#[async_trait]
impl Realtime for Engine {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        for part in events.chunks(limits::EVENTS_PER_BATCH) {
            let batch: Vec<BatchEvent> = part
                .iter()
                .map(|LiveData { event, data }| BatchEvent::new(channel.clone(), event.clone(), data.clone()))
                .collect();
            self.0.trigger_batch(&batch).await.map_err(|error| match error.is_retryable() {
                true => RealtimeError::passing(error.to_string()),
                false => RealtimeError::refused(error.to_string()),
            })?;
        }
        Ok(())
    }

    fn parallel(&self) -> usize {
        16
    }
}
