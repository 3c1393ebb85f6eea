use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_broker::Broker;
use pusher_protocol::ChannelName;

use super::{Connections, LiveData, Realtime, RealtimeError};

/// The broker inside this server.
#[derive(Clone, Debug)]
pub struct Embedded(pub Broker);

#[async_trait]
impl Realtime for Embedded {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        for LiveData { event, data } in events {
            self.0
                .publish(channel, event, data, None)
                .map_err(|error| RealtimeError::refused(error.to_string()))?;
        }
        Ok(())
    }

    fn parallel(&self) -> usize {
        1
    }
}

#[async_trait]
impl Connections for Embedded {
    async fn close(&self, user_id: &UserId, channel: Option<&ChannelName>) -> Result<(), RealtimeError> {
        self.0.terminate_connections(user_id.as_str());
        if let Some(channel) = channel {
            self.0.terminate_subscribers(channel);
        }
        Ok(())
    }
}
