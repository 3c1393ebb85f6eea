//! Live delivery of changes to connected clients. It may fail: clients catch up on what they miss.

mod client_address;
mod embedded;
mod parts;
mod remote;
mod webhooks;

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

    /// Publishes events on several channels, in one request if the engine can. Events of the same
    /// channel are published in order.
    ///
    /// The batch has at most [`batch_size`](Self::batch_size) events, or one channel. By default,
    /// each channel's events are [published](Self::publish) in turn.
    ///
    /// # Errors
    /// Returns a [`RealtimeError`]. Some of the events may have been published nevertheless. After
    /// an error that may be due to one of several channels, each is published again alone.
    async fn publish_batch(&self, batch: &[ChannelEvents]) -> Result<(), RealtimeError> {
        for ChannelEvents { channel, events } in batch {
            self.publish(channel, events).await?;
        }
        Ok(())
    }

    /// Returns how many events, of several channels, fit into one request. 1 by default.
    fn batch_size(&self) -> usize {
        1
    }

    /// Returns how many requests to send at the same time, at least one. No two of them have events
    /// of the same channel.
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

/// Events to publish on one channel, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelEvents {
    /// The channel.
    pub channel: ChannelName,
    /// The events, at least one.
    pub events: Vec<LiveData>,
}

impl ChannelEvents {
    /// Returns these events of this channel.
    pub fn new(channel: ChannelName, events: Vec<LiveData>) -> Self {
        Self { channel, events }
    }
}

/// Why an engine did not do what it was asked to.
#[derive(Clone, Debug)]
pub struct RealtimeError {
    kind: RealtimeErrorKind,
    text: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kind of a [`RealtimeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RealtimeErrorKind {
    /// The call failed and may succeed later; the events or the engine may be the cause.
    Retryable,
    /// The engine takes no events now, whatever they are.
    Unavailable,
    /// The engine rejects every call of this server until somebody changes something: credentials,
    /// the app, the account, or the engine's address.
    Rejected,
    /// The engine rejects these events, and would reject them again.
    Permanent,
}

impl RealtimeError {
    /// Returns an error that may pass: the call is repeated.
    pub fn retryable(text: impl Into<String>) -> Self {
        Self::new(RealtimeErrorKind::Retryable, text)
    }

    /// Returns an error that may pass and does not depend on the events, such as too many requests:
    /// all calls wait.
    pub fn unavailable(text: impl Into<String>) -> Self {
        Self::new(RealtimeErrorKind::Unavailable, text)
    }

    /// Returns an error about the server rather than the events, such as wrong credentials: nothing
    /// is skipped, and the call is repeated now and then. `/health/ready` shows the text, so it
    /// must not contain a secret.
    pub fn rejected(text: impl Into<String>) -> Self {
        Self::new(RealtimeErrorKind::Rejected, text)
    }

    /// Returns an error that a repeated call would meet again: the events are skipped, and clients
    /// catch up without them.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self::new(RealtimeErrorKind::Permanent, text)
    }

    fn new(kind: RealtimeErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> RealtimeErrorKind {
        self.kind
    }

    /// Returns whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind != RealtimeErrorKind::Permanent
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
