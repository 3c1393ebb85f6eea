//! Live delivery of changes to connected clients. It may fail: clients catch up on what they miss.

mod client_address;
mod embedded;
mod parts;
mod remote;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use internal_notifications_models::UserId;
use pusher_protocol::{ChannelName, EventName};

pub use client_address::ClientAddress;
pub use embedded::EmbeddedBroker;
pub use parts::RealtimeParts;
pub use remote::RemoteEngine;

/// A Channels engine, as the server uses it.
#[async_trait]
pub trait Realtime: Send + Sync + 'static {
    /// Publishes events on one channel, in order.
    ///
    /// # Errors
    /// Returns a [`RealtimeError`]. The first of the events may have been published nevertheless.
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError>;

    /// Returns on how many channels to publish at the same time, at least one.
    fn concurrency(&self) -> usize;

    /// Closes the connections that signed in as this user and, if the engine can tell which those
    /// are, the connections subscribed to `channel`, the user's own.
    ///
    /// # Errors
    /// Returns a [`RealtimeError`]. Some of the connections may have been closed nevertheless.
    async fn close_connections(
        &self,
        user_id: &UserId,
        channel: Option<&ChannelName>,
    ) -> Result<(), RealtimeError>;
}

/// One event to publish. Its `Debug` form leaves the data out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveData {
    /// The name of the event.
    pub event: EventName,
    /// The data of the event, JSON.
    pub data: String,
}

impl LiveData {
    /// Returns an event with this name and data.
    pub fn new(event: EventName, data: impl Into<String>) -> Self {
        Self { event, data: data.into() }
    }
}

/// Why an engine did not do what it was asked to.
#[derive(Clone, Debug)]
pub struct RealtimeError {
    retryable: bool,
    text: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl RealtimeError {
    /// Returns an error that may pass: the call is repeated.
    pub fn retryable(text: impl Into<String>) -> Self {
        Self { retryable: true, text: text.into(), source: None }
    }

    /// Returns an error that a repeated call would meet again: the events are skipped, and clients
    /// catch up without them.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self { retryable: false, text: text.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Returns whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for RealtimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for RealtimeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Debug for LiveData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveData")
            .field("event", &self.event)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
