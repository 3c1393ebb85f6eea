use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_client::{BatchEvent, ErrorKind, HttpApi};
use pusher_protocol::{ChannelName, limits};

use super::{ChannelEvents, LiveData, Realtime, RealtimeError};

/// A Channels engine in another process, reached over its HTTP API.
#[derive(Clone, Debug)]
pub struct RemoteEngine(pub HttpApi);

#[async_trait]
impl Realtime for RemoteEngine {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        for part in events.chunks(limits::EVENTS_PER_BATCH) {
            self.0.trigger_batch(&batch_events(channel, part)?).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn publish_batch(&self, batch: &[ChannelEvents]) -> Result<(), RealtimeError> {
        if let [ChannelEvents { channel, events }] = batch {
            return self.publish(channel, events).await;
        }
        let mut all = Vec::with_capacity(limits::EVENTS_PER_BATCH);
        for ChannelEvents { channel, events } in batch {
            all.extend(batch_events(channel, events)?);
        }
        self.0.trigger_batch(&all).await.map(drop).map_err(failed)
    }

    fn batch_size(&self) -> usize {
        limits::EVENTS_PER_BATCH
    }

    /// Enough for thousands of inboxes a second on an engine that answers in 50 ms.
    fn concurrency(&self) -> usize {
        32
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

fn batch_events(channel: &ChannelName, events: &[LiveData]) -> Result<Vec<BatchEvent>, RealtimeError> {
    let event = |LiveData { event, data }: &LiveData| BatchEvent::new(channel, event, data.clone());
    events.iter().map(event).collect::<Result<_, _>>().map_err(failed)
}

fn failed(error: pusher_client::Error) -> RealtimeError {
    let failed = match (error.kind(), error.code()) {
        (ErrorKind::RateLimited, _) => {
            RealtimeError::unavailable("the Channels engine received too many requests")
        }
        (ErrorKind::Proxy, Some(407)) => RealtimeError::rejected(rejection(407)),
        (ErrorKind::Certificate, _) => RealtimeError::rejected(
            "the Channels engine cannot be trusted; set INTERNAL_NOTIFICATIONS_CA_FILE if its authority is private",
        ),
        _ if error.is_retryable() => RealtimeError::retryable("a request to the Channels engine failed"),
        (ErrorKind::UnexpectedAnswer, _) => RealtimeError::rejected(
            "the Channels engine does not answer as a Channels server does; check its address",
        ),
        // Only these statuses are about what was sent. All others are about the app, or come from
        // something that is not the engine.
        (_, None | Some(400 | 413 | 422)) => {
            RealtimeError::permanent("the Channels engine rejected a request")
        }
        (_, Some(status)) => RealtimeError::rejected(rejection(status)),
    };
    failed.with_source(error)
}

/// Returns why the engine, or what answers in its place, rejects every request.
fn rejection(status: u16) -> String {
    let hint = match status {
        300..=399 => "redirects; check the engine's scheme, host and port",
        401 => "rejects the app's credentials; check PUSHER_APP_KEY, PUSHER_APP_SECRET and the clock",
        402 | 403 => "refuses the app; it may be disabled or over its quota",
        404 => "does not know the app; check PUSHER_APP_ID and the engine's address",
        407 => "is behind a proxy that asks for credentials",
        _ => "rejects all requests; check its address",
    };
    format!("the Channels engine {hint} (HTTP status {status})")
}
