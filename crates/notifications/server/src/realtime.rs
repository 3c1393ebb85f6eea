//! The way of a change to the clients that are connected now. It may fail: what it loses, catch-up brings.

mod embedded;
mod engine;

use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_protocol::{ChannelName, EventName};

pub use embedded::Embedded;
pub use engine::Engine;

/// Publishes events on channels.
#[async_trait]
pub trait Realtime: Send + Sync + 'static {
    /// Publishes events on one channel, in order.
    ///
    /// # Errors
    /// [`RealtimeError`]; some of the events may have been published, the first ones first.
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError>;

    /// How many channels are published on at once; at least one.
    fn parallel(&self) -> usize;
}

/// Closes users' connections.
#[async_trait]
pub trait Connections: Send + Sync + 'static {
    /// Closes those that signed in as the user and, where that can be told, those that are subscribed to `channel`, the user's own, if the user can have
    /// one.
    ///
    /// # Errors
    /// [`RealtimeError`]; some of them may have been closed.
    async fn close(&self, user_id: &UserId, channel: Option<&ChannelName>) -> Result<(), RealtimeError>;
}

/// One event.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveData {
    /// Its name.
    pub event: EventName,
    /// Its data, JSON.
    pub data: String,
}

/// Why an event was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct RealtimeError {
    retryable: bool,
    text: String,
}

impl RealtimeError {
    /// An error that may pass.
    pub fn passing(text: impl Into<String>) -> Self {
        Self { retryable: true, text: text.into() }
    }

    /// An error that the same event would meet again.
    pub fn refused(text: impl Into<String>) -> Self {
        Self { retryable: false, text: text.into() }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl std::fmt::Debug for LiveData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveData")
            .field("event", &self.event)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
