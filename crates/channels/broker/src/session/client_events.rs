use std::time::Duration;

use pusher_protocol::{ChannelName, CloseCode, EventName, Frame};
use tokio::time::Instant;

use super::{Rejection, Session, truncated};

const SECOND: Duration = Duration::from_secs(1);

impl Session {
    pub(super) fn client_event(&mut self, frame: &Frame<'_>) -> Result<(), Rejection> {
        let reject = |message: String| Rejection {
            channel: frame.channel.as_deref().map(truncated),
            ..Rejection::new(message)
        };
        if !self.shared.client_events {
            return Err(reject(
                "To send client events, you must enable this feature in the Settings page of your dashboard."
                    .to_owned(),
            ));
        }
        let Some(name) = frame.channel.as_deref().filter(|_| !frame.data().is_empty()) else {
            return Err(reject("Invalid client event (must contain channel and data)".to_owned()));
        };
        let event = EventName::new(frame.event.as_ref())
            .map_err(|error| reject(format!("Invalid client event name: {error}")))?;
        let channel = ChannelName::new(name)
            .map_err(|error| reject(format!("Invalid channel name {}: {error}", truncated(name))))?;
        if !channel.kind().needs_authorization() {
            return Err(reject(
                "Client event rejected - only supported on private and presence channels".to_owned(),
            ));
        }
        if !self.subscriptions.contains(&channel) {
            return Err(reject(format!(
                "Cannot broadcast client event (connection not subscribed to channel {channel})"
            )));
        }
        let data = frame.data().text();
        let limits = &self.shared.limits;
        if data.len() > limits.event_data {
            return Err(reject(format!(
                "The data content of this event exceeds the allowed maximum ({} bytes)",
                limits.event_data
            )));
        }
        if !self.client_events.allows(limits.client_events_per_second, SECOND, Instant::now()) {
            let message = "Client event rejected due to rate limit".to_owned();
            return Err(Rejection { code: Some(CloseCode::CLIENT_EVENT_RATE), ..reject(message) });
        }
        self.shared.registry.publish_client_event(&self.socket.id, &channel, event.as_str(), &data);
        Ok(())
    }
}
