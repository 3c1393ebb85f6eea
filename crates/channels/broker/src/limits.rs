use std::time::Duration;

use pusher_protocol::limits;

/// Bounds on what clients and callers may use, and on how long things may take. Start from
/// [`Limits::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at the same time. One more is closed with code 4100. Default: 10,000.
    pub connections: usize,
    /// Connections at the same time from one address, or from one IPv6 network of 64 bits. One more
    /// is closed with code 4100. See [`Builder::trusted_proxy`](crate::Builder::trusted_proxy) for
    /// what is counted. Default: 1,000.
    pub connections_per_address: Option<usize>,
    /// Connections of the app at the same time, like the quota of a plan at pusher.com. One more is
    /// closed with code 4004, and its client does not reconnect. Default: none.
    pub connection_quota: Option<usize>,
    /// Subscriptions of one connection. Default: 100.
    pub subscriptions: usize,
    /// Subscription requests of one connection within ten seconds. One more is rejected with error
    /// 4301, since each request and its end may cause events for other subscribers and webhooks.
    /// Default: 500. The effective limit is at least `subscriptions`, since a client that
    /// reconnects subscribes to all its channels at once.
    pub subscribe_requests: usize,
    /// Frames that may wait for one connection. One more closes it with code 4100. Default: 256.
    pub send_queue: usize,
    /// Bytes of a frame from a client. A longer one closes the connection with code 1009. If client
    /// events are allowed, frames may in any case be as long as one whose data is full of escapes
    /// (six times `event_data`, and 4 KiB). Default: 16 KiB.
    pub frame_bytes: usize,
    /// Binary or malformed frames from one client. One more closes the connection with code 1003.
    /// Default: 10.
    pub bad_frames: u32,
    /// Bytes of an event's data. Default: 10,240, as at Pusher (HTTP API reference, status 413).
    pub event_data: usize,
    /// Users of one presence channel. Default: 100, as at Pusher.
    pub presence_members: usize,
    /// Users that one connection watches. The rest of a longer watchlist is ignored and the client
    /// gets error 4302. Default: 100, as at Pusher.
    pub watchlist: usize,
    /// Client events of one connection within a second. One more is rejected with code 4301.
    /// Default: 10, as at Pusher.
    pub client_events_per_second: usize,
    /// How long a cache channel stores its last event. Default: 30 min, as at Pusher.
    pub cache_time: Duration,
    /// Last events stored for all cache channels. The oldest is evicted first. Default: 10,000.
    pub cached_events: usize,
    /// Bytes of the last events stored for all cache channels. The oldest are evicted first.
    /// Default: 64 MiB.
    pub cached_bytes: usize,
    /// Bytes of an HTTP request's body. Default: 640 KiB, enough for a full batch in which every
    /// byte is escaped.
    pub body_bytes: usize,
    /// Bytes of the bodies of all HTTP requests that are being received or handled at a time, at
    /// least `body_bytes`. More is answered with 503. Default: 32 MiB.
    pub buffered_bytes: usize,
    /// How long the body of an HTTP request may take to arrive. Default: 10 s.
    pub body_timeout: Duration,
    /// The activity timeout that is announced to clients, in whole seconds, at least one.
    /// Default: 120 s.
    pub activity_timeout: Duration,
    /// How much longer than the activity timeout the broker waits before it pings a silent client,
    /// so that usually the client pings first. Default: 10 s.
    pub activity_margin: Duration,
    /// How long a client may take to answer a ping or to receive one frame. Default: 30 s.
    pub pong_timeout: Duration,
    /// How long a connection may stay open before its first subscription. Then it is closed with
    /// code 4009. Default: 30 s.
    pub subscribe_timeout: Duration,
    /// How long the closing handshake may take and, on shutdown, before it the writing of queued
    /// frames. Default: 2 s.
    pub close_timeout: Duration,
    /// Client events, cache misses and subscription counts that may wait for one destination of
    /// webhooks, or be on their way to it. Further ones are dropped. Arrivals and departures
    /// (`channel_occupied`, `channel_vacated`, `member_added`, `member_removed`) are not, and are
    /// bounded by `connections` and `subscriptions`. Default: 10,000.
    pub webhook_queue: usize,
    /// Bytes of the events that `webhook_queue` counts. Further ones are dropped. Default: 16 MiB.
    pub webhook_queue_bytes: usize,
    /// How long a destination may take to answer a webhook. Default: 10 s.
    pub webhook_timeout: Duration,
    /// How long a webhook that failed is retried. Default: 5 min, as at Pusher.
    pub webhook_retry_period: Duration,
    /// How long `channel_vacated` and `member_removed` wait for the client to come back, which
    /// cancels them. Default: 3 s, as at Pusher.
    pub webhook_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: Some(1_000),
            connection_quota: None,
            subscriptions: 100,
            subscribe_requests: 500,
            send_queue: 256,
            frame_bytes: 16 * 1024,
            bad_frames: 10,
            event_data: limits::EVENT_DATA,
            presence_members: limits::PRESENCE_MEMBERS,
            watchlist: limits::WATCHLIST,
            client_events_per_second: limits::CLIENT_EVENTS_PER_SECOND,
            cache_time: Duration::from_secs(limits::CACHE_SECONDS),
            cached_events: 10_000,
            cached_bytes: 64 * 1024 * 1024,
            body_bytes: 640 * 1024,
            buffered_bytes: 32 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            activity_timeout: Duration::from_secs(limits::ACTIVITY_TIMEOUT_SECONDS),
            activity_margin: Duration::from_secs(10),
            pong_timeout: Duration::from_secs(limits::PONG_TIMEOUT_SECONDS),
            subscribe_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(2),
            webhook_queue: 10_000,
            webhook_queue_bytes: 16 * 1024 * 1024,
            webhook_timeout: Duration::from_secs(10),
            webhook_retry_period: Duration::from_secs(5 * 60),
            webhook_grace: Duration::from_secs(3),
        }
    }
}
