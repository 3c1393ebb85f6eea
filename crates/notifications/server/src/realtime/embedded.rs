use async_trait::async_trait;
use pusher_broker::Broker;
use pusher_protocol::ChannelName;

use super::{LiveData, Realtime, RealtimeError};

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
