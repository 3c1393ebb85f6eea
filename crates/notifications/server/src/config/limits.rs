use std::time::Duration;

use internal_notifications_models::{MAX_NOTIFICATION_BYTES, MAX_RECIPIENTS, PushLimits};

/// What one caller may use of the server, and how long operations may take. Start from
/// [`Limits::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a request body; more is answered with 413. Default: 2 MiB.
    pub body_bytes: usize,
    /// The most bytes of one notification as canonical JSON; more is answered with 413. Default:
    /// 128 KiB.
    pub notification_bytes: usize,
    /// The most recipients of one push; more is answered with 422. Default: 10,000.
    pub recipients: usize,
    /// The most HTTP connections at a time; further ones wait until one ends. Upgraded connections
    /// are counted by the broker instead. Default: 10,000.
    pub connections: usize,
    /// The most bytes of a request head, at least 8 KiB; more is answered with 431. Default: 16
    /// KiB.
    pub head_bytes: usize,
    /// How long a request head may take to arrive, including the wait for the next request on a
    /// connection. Default: 10 s.
    pub head_timeout: Duration,
    /// How long a body may take to arrive; longer is answered with 408. Default: 30 s.
    pub body_timeout: Duration,
    /// How long a request may take in total; longer is answered with 503. Default: 60 s.
    pub request_timeout: Duration,
    /// How long a client may read nothing of an answer before it is disconnected. Default: 30 s.
    pub write_timeout: Duration,
    /// How long each part of the server may take to finish its work at a shutdown. Default: 10 s.
    pub shutdown_timeout: Duration,
    /// The limits of the embedded broker.
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
