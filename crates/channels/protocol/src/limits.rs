//! The limits that Pusher documents, as numbers. Lengths are in bytes of UTF-8; channel names, event names and socket
//! ids are ASCII or counted as Pusher's own servers count them.

/// The longest channel name, its prefix included (Pusher's "channel naming conventions").
pub const CHANNEL_NAME: usize = 164;
/// The longest event name (Pusher's HTTP API reference).
pub const EVENT_NAME: usize = 200;
/// The most bytes of `data` in one event: 10 KB (Pusher's HTTP API reference, status 413).
pub const EVENT_DATA: usize = 10_240;
/// The most channels of one `POST /events`.
pub const CHANNELS_PER_EVENT: usize = 100;
/// The most events of one `POST /batch_events`.
pub const EVENTS_PER_BATCH: usize = 10;
/// The longest socket id that is accepted; the ones in use have at most 21 characters.
pub const SOCKET_ID: usize = 64;
/// The most client events of one connection in a second (Pusher's "events", close code 4301).
pub const CLIENT_EVENTS_PER_SECOND: usize = 10;
/// The most members of a presence channel.
pub const PRESENCE_MEMBERS: usize = 100;
/// The most bytes of a member's or user's data: 1 KB.
pub const USER_DATA: usize = 1_024;
/// The longest id of a presence channel's member.
pub const USER_ID: usize = 128;
/// The most users of one watchlist; with more, the first are watched and 4302 is told.
pub const WATCHLIST: usize = 100;
/// Seconds without a received frame after which a side asks for a sign of life, when nothing else is configured.
pub const ACTIVITY_TIMEOUT_SECONDS: u64 = 120;
/// Seconds to wait for the answer to a ping.
pub const PONG_TIMEOUT_SECONDS: u64 = 30;
/// Seconds by which the time of a signed HTTP API request must differ less from the server's.
pub const REQUEST_AGE_SECONDS: u64 = 600;
/// Seconds for which a cache channel keeps its last event, at most.
pub const CACHE_SECONDS: u64 = 30 * 60;
