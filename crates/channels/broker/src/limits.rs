use std::time::Duration;

use pusher_protocol::limits;

/// What one client or caller may take of the broker, and how long things may last. Start from [`Limits::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once; a further one is closed with 4100. Default: 10,000.
    pub sockets: usize,
    /// Subscriptions of one connection. Default: 100.
    pub subscriptions: usize,
    /// Frames that may wait for one connection; with one more it is closed with 4100. Default: 256.
    pub queue: usize,
    /// Bytes of a frame from a client; a longer one closes the connection with 1009. Default: 16 KiB.
    pub frame_bytes: usize,
    /// Frames of a client that are binary or not of the protocol, before it is closed with 1003. Default: 10.
    pub bad_frames: u32,
    /// Bytes of an event's data. Default: 10,240, as Pusher's (HTTP API reference, status 413).
    pub event_data: usize,
    /// Bytes of an HTTP request's body. Default: 640 KiB, room for a full batch in which every byte is escaped.
    pub body_bytes: usize,
    /// How long an HTTP request's body may take to arrive. Default: 10 s.
    pub body_timeout: Duration,
    /// The activity time-out that clients are told, in whole seconds of at least one. Default: 120 s.
    pub activity_timeout: Duration,
    /// How much longer than the activity time-out a silent client is left alone, so that usually the client pings and not
    /// the broker. Default: 10 s.
    pub activity_margin: Duration,
    /// How long a client may take to answer a ping, or to take one frame from the broker. Default: 30 s.
    pub pong_timeout: Duration,
    /// How long a connection may stay without having subscribed to anything, before it is closed with 4009. Default: 30 s.
    pub subscribe_timeout: Duration,
    /// How long the closing handshake of a connection may take, and before it, on shutdown, what is queued. Default: 2 s.
    pub close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sockets: 10_000,
            subscriptions: 100,
            queue: 256,
            frame_bytes: 16 * 1024,
            bad_frames: 10,
            event_data: limits::EVENT_DATA,
            body_bytes: 640 * 1024,
            body_timeout: Duration::from_secs(10),
            activity_timeout: Duration::from_secs(limits::ACTIVITY_TIMEOUT_SECONDS),
            activity_margin: Duration::from_secs(10),
            pong_timeout: Duration::from_secs(limits::PONG_TIMEOUT_SECONDS),
            subscribe_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(2),
        }
    }
}
