use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_client::{BatchEvent, HttpApi};
use pusher_protocol::{ChannelName, limits};

use super::{LiveData, Realtime, RealtimeError};

/// A Channels engine in another process, reached over its HTTP API.
#[derive(Clone, Debug)]
pub struct RemoteEngine(pub HttpApi);

#[async_trait]
impl Realtime for RemoteEngine {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        for part in events.chunks(limits::EVENTS_PER_BATCH) {
            let batch: Vec<BatchEvent> = part
                .iter()
                .map(|LiveData { event, data }| BatchEvent::new(channel, event, data.clone()))
                .collect::<Result<_, _>>()
                .map_err(failed)?;
            self.0.trigger_batch(&batch).await.map_err(failed)?;
        }
        Ok(())
    }

    fn concurrency(&self) -> usize {
        16
    }

    /// Closes the connections that signed in. The HTTP API does not tell who subscribed.
    async fn close_connections(
        &self,
        user_id: &UserId,
        _: Option<&ChannelName>,
    ) -> Result<(), RealtimeError> {
        self.0.terminate_user_connections(user_id.as_str()).await.map_err(failed)
    }
}

fn failed(error: pusher_client::Error) -> RealtimeError {
    let failed = match error.is_retryable() {
        true => RealtimeError::retryable("a request to the Channels engine failed"),
        false => RealtimeError::permanent("the Channels engine rejected a request"),
    };
    failed.with_source(error)
}
