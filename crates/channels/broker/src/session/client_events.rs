use std::time::Duration;

use pusher_protocol::{ChannelName, CloseCode, EventName, Frame};
use tokio::time::Instant;

use super::{Refusal, Session, repeated};

/// How many client events came in the second that the first of them began.
#[derive(Debug, Default)]
pub(super) struct Rate {
    begun: Option<Instant>,
    events: usize,
}

const SECOND: Duration = Duration::from_secs(1);

impl Rate {
    /// Counts one event, if it is not one too many.
    fn allows(&mut self, limit: usize, now: Instant) -> bool {
        if self.begun.is_none_or(|begun| now.duration_since(begun) >= SECOND) {
            *self = Self { begun: Some(now), events: 0 };
        }
        let is_allowed = self.events < limit;
        self.events += usize::from(is_allowed);
        is_allowed
    }
}

impl Session {
    pub(super) fn client_event(&mut self, frame: &Frame<'_>) -> Result<(), Refusal> {
        let refuse = |message: String| Refusal {
            channel: frame.channel.as_deref().map(repeated),
            ..Refusal::new(message)
        };
        if !self.shared.client_events {
            return Err(refuse(
                "To send client events, you must enable this feature in the Settings page of your dashboard."
                    .to_owned(),
            ));
        }
        let Some(name) = frame.channel.as_deref().filter(|_| !frame.data().is_empty()) else {
            return Err(refuse("Invalid client event (must contain channel and data)".to_owned()));
        };
        let event = EventName::new(frame.event.as_ref())
            .map_err(|why| refuse(format!("Invalid client event name: {why}")))?;
        let channel = ChannelName::new(name)
            .map_err(|why| refuse(format!("Invalid channel name {}: {why}", repeated(name))))?;
        if !channel.kind().needs_authorization() {
            return Err(refuse(
                "Client event rejected - only supported on private and presence channels".to_owned(),
            ));
        }
        if !self.subscriptions.contains(&channel) {
            return Err(refuse(format!(
                "Cannot broadcast client event (connection not subscribed to channel {channel})"
            )));
        }
        let data = frame.data().text();
        let limits = &self.shared.limits;
        if data.len() > limits.event_data {
            return Err(refuse(format!(
                "The data content of this event exceeds the allowed maximum ({} bytes)",
                limits.event_data
            )));
        }
        if !self.client_events.allows(limits.client_events_per_second, Instant::now()) {
            let message = "Client event rejected due to rate limit".to_owned();
            return Err(Refusal { code: Some(CloseCode::CLIENT_EVENT_RATE), ..refuse(message) });
        }
        self.shared.registry.publish_from(&self.socket.id, &channel, event.as_str(), &data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_events_are_allowed_a_second() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert!((0..10).all(|n| rate.allows(10, at(n))));
        assert!(!rate.allows(10, at(999)));
        assert!((0..10).all(|_| rate.allows(10, at(1_000))));
        assert!(!rate.allows(10, at(1_001)));
    }
}
