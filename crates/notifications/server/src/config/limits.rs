use std::time::Duration;

use internal_notifications_models::{MAX_NOTIFICATION_BYTES, MAX_RECIPIENTS, PushLimits};

/// What one caller may take of the server, and how long things may last. Start from [`Limits::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request's body; more is answered with 413. Default: 2 MiB.
    pub body_bytes: usize,
    /// Bytes of one notification as canonical JSON; more is answered with 413. Default: 128 KiB.
    pub notification_bytes: usize,
    /// Recipients of one push; more is answered with 422. Default: 10,000.
    pub recipients: usize,
    /// HTTP connections at once; a further one waits until one ends. Upgraded ones are counted by the broker. Default: 10,000.
    pub connections: usize,
    /// Bytes of a request's head; more is answered with 431. At least 8 KiB. Default: 16 KiB.
    pub head_bytes: usize,
    /// How long a request's head may take, the wait for a connection's next request included. Default: 10 s.
    pub head_timeout: Duration,
    /// How long a body may take to arrive; longer is answered with 408. Default: 30 s.
    pub body_timeout: Duration,
    /// How long a request may take in all; longer is answered with 503. Default: 60 s.
    pub request_timeout: Duration,
    /// How long a client may take nothing of what is written to it. Default: 30 s.
    pub write_timeout: Duration,
    /// How long running requests may go on after the server was told to stop. Default: 10 s.
    pub shutdown_timeout: Duration,
    /// What the embedded broker allows.
    pub broker: pusher_broker::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 2 * 1024 * 1024,
            notification_bytes: MAX_NOTIFICATION_BYTES,
            recipients: MAX_RECIPIENTS,
            connections: 10_000,
            head_bytes: 16 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(10),
            broker: pusher_broker::Limits::default(),
        }
    }
}

impl Limits {
    /// Returns the limits of one push.
    pub fn push(&self) -> PushLimits {
        PushLimits::new(self.recipients, self.notification_bytes)
    }
}
