use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_broker::Broker;
use pusher_protocol::ChannelName;

use super::{LiveData, Realtime, RealtimeError};

/// The Channels broker inside this process.
#[derive(Clone, Debug)]
pub struct EmbeddedBroker(pub Broker);

#[async_trait]
impl Realtime for EmbeddedBroker {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        for LiveData { event, data } in events {
            self.0.publish(channel, event, data, None).map_err(|error| {
                RealtimeError::permanent("the embedded broker rejected an event").with_source(error)
            })?;
        }
        Ok(())
    }

    fn concurrency(&self) -> usize {
        1
    }

    async fn close_connections(
        &self,
        user_id: &UserId,
        channel: Option<&ChannelName>,
    ) -> Result<(), RealtimeError> {
        self.0.terminate_connections(user_id.as_str());
        if let Some(channel) = channel {
            self.0.terminate_subscribers(channel);
        }
        Ok(())
    }
}
