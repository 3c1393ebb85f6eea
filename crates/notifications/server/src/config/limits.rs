use std::num::NonZeroU64;
use std::time::Duration;

use internal_notifications_models::{MAX_NOTIFICATION_BYTES, MAX_RECIPIENTS, PushLimits};

use super::variables::Variables;
use super::{ConfigError, Variable, broker_limits};

pub(crate) const BUFFERED_BYTES: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_BUFFERED_BYTES",
    method: "with_limits",
    default: Some("67108864"),
    allowed: "a number of bytes, at least 2097152, the largest request body",
    purpose: "How much memory the bodies of all requests may take at a time. One user may hold a sixteenth of it, and one API key a half, but always one body.",
};
pub(crate) const SHUTDOWN_SECONDS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_SHUTDOWN_SECONDS",
    method: "with_limits",
    default: Some("10"),
    allowed: "a number of seconds, at least 1",
    purpose: "How long a shutdown may take. What is unfinished then is cut off.",
};

/// What one caller may use of the server, and how long operations may take. Start from
/// [`Limits::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a request body; more is answered with 413. Routes that need less accept
    /// less. Default: 2 MiB.
    pub body_bytes: usize,
    /// The most bytes of request bodies that are being received or handled at a time, at least
    /// `body_bytes`; more is answered with 503. One user may hold a sixteenth of it, and one API
    /// key a half, but always one body; more is answered with 429. Default: 64 MiB.
    pub buffered_bytes: usize,
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
    /// How long a shutdown may take; what is unfinished then is cut off. Default: 10 s.
    pub shutdown_timeout: Duration,
    /// The limits of the embedded broker.
    pub broker: pusher_broker::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 2 * 1024 * 1024,
            buffered_bytes: 64 * 1024 * 1024,
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
    pub(super) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let mut limits = Self::default();
        limits.buffered_bytes = variables.parsed(&BUFFERED_BYTES)?.unwrap_or(limits.buffered_bytes);
        let seconds = variables.parsed(&SHUTDOWN_SECONDS)?.map(NonZeroU64::get);
        limits.shutdown_timeout = seconds.map_or(limits.shutdown_timeout, Duration::from_secs);
        limits.broker = broker_limits::from_env(variables)?;
        Ok(limits)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.buffered_bytes < self.body_bytes {
            true => Err(ConfigError::not_allowed(&BUFFERED_BYTES, &self.buffered_bytes.to_string())),
            false => Ok(()),
        }
    }

    /// Returns the limits of one push.
    pub fn push(&self) -> PushLimits {
        PushLimits::new(self.recipients, self.notification_bytes)
    }
}
