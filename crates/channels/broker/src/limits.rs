use std::time::Duration;

use pusher_protocol::limits;

/// What one client or caller may take of the broker, and how long things may last. Start from [`Limits::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once; a further one is closed with 4100. Default: 10,000.
    pub sockets: usize,
    /// Connections that the app may have at once, as by a plan of pusher.com; a further one is closed with 4004, and its client stays away.
    /// Default: no such quota.
    pub connection_quota: Option<usize>,
    /// Subscriptions of one connection. Default: 100.
    pub subscriptions: usize,
    /// Times that one connection asks for a subscription within ten seconds; a further one is refused with 4301. Each costs the other
    /// subscribers of a channel, and webhooks, some events, and so does its end, which cannot come without it. Default: 500;
    /// never less than `subscriptions`, since who comes back asks for all of them at once.
    pub subscribing: usize,
    /// Frames that may wait for one connection; with one more it is closed with 4100. Default: 256.
    pub queue: usize,
    /// Bytes of a frame from a client; a longer one closes the connection with 1009. Default: 16 KiB.
    pub frame_bytes: usize,
    /// Frames of a client that are binary or not of the protocol, before it is closed with 1003. Default: 10.
    pub bad_frames: u32,
    /// Bytes of an event's data. Default: 10,240, as Pusher's (HTTP API reference, status 413).
    pub event_data: usize,
    /// Users of one presence channel. Default: 100, as Pusher's.
    pub presence_members: usize,
    /// Users that one connection watches; of a longer watchlist the first are watched, and 4302 is told. Default: 100, as Pusher's.
    pub watchlist: usize,
    /// Client events of one connection in a second; a further one is refused with 4301. Default: 10, as Pusher's.
    pub client_events_per_second: usize,
    /// How long a cache channel keeps its last event. Default: 30 min, as Pusher's.
    pub cache_time: Duration,
    /// Last events kept at once; the oldest one goes first. Default: 10,000.
    pub cached_events: usize,
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
    /// Webhook events that wait for one destination; a further one is dropped. Default: 10,000.
    pub webhook_queue: usize,
    /// Bytes of the webhook events that wait for one destination; a further event is dropped. Default: 16 MiB.
    pub webhook_queue_bytes: usize,
    /// How long a destination may take to answer a webhook. Default: 10 s.
    pub webhook_timeout: Duration,
    /// For how long a webhook that was not acknowledged is sent again. Default: 5 min, as Pusher's.
    pub webhook_retries: Duration,
    /// How long `channel_vacated` and `member_removed` wait for the client to come back. Default: 3 s, as Pusher's.
    pub webhook_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sockets: 10_000,
            connection_quota: None,
            subscriptions: 100,
            subscribing: 500,
            queue: 256,
            frame_bytes: 16 * 1024,
            bad_frames: 10,
            event_data: limits::EVENT_DATA,
            presence_members: limits::PRESENCE_MEMBERS,
            watchlist: limits::WATCHLIST,
            client_events_per_second: limits::CLIENT_EVENTS_PER_SECOND,
            cache_time: Duration::from_secs(limits::CACHE_SECONDS),
            cached_events: 10_000,
            body_bytes: 640 * 1024,
            body_timeout: Duration::from_secs(10),
            activity_timeout: Duration::from_secs(limits::ACTIVITY_TIMEOUT_SECONDS),
            activity_margin: Duration::from_secs(10),
            pong_timeout: Duration::from_secs(limits::PONG_TIMEOUT_SECONDS),
            subscribe_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(2),
            webhook_queue: 10_000,
            webhook_queue_bytes: 16 * 1024 * 1024,
            webhook_timeout: Duration::from_secs(10),
            webhook_retries: Duration::from_secs(5 * 60),
            webhook_grace: Duration::from_secs(3),
        }
    }
}
