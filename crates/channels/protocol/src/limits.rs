//! The limits that Pusher documents. Lengths are in bytes of UTF-8; event names are counted in
//! characters.

/// The longest channel name, including its prefix (Pusher's "channel naming conventions").
pub const CHANNEL_NAME: usize = 164;
/// The longest event name, in characters (Pusher's HTTP API reference).
pub const EVENT_NAME: usize = 200;
/// The largest `data` of one event, 10 KB (Pusher's HTTP API reference, status 413).
pub const EVENT_DATA: usize = 10_240;
/// The most channels of one event (Pusher's HTTP API reference, `POST /events`).
pub const CHANNELS_PER_EVENT: usize = 100;
/// The most events of one batch (Pusher's HTTP API reference, `POST /batch_events`).
pub const EVENTS_PER_BATCH: usize = 10;
/// The longest accepted socket id. Those in use have at most 21 characters.
pub const SOCKET_ID: usize = 64;
/// The most client events per second of one connection (Pusher's "client events", close code 4301).
pub const CLIENT_EVENTS_PER_SECOND: usize = 10;
/// The most members of a presence channel (Pusher's "presence channels").
pub const PRESENCE_MEMBERS: usize = 100;
/// The largest data of a member or user, 1 KB (Pusher's "presence channels").
pub const USER_DATA: usize = 1_024;
/// The longest user id of a member (Pusher's "presence channels").
pub const USER_ID: usize = 128;
/// The most users of a watchlist. The server watches the first ones of a longer list and sends
/// error 4302.
pub const WATCHLIST: usize = 100;
/// The seconds without a received frame after which a side pings, unless configured otherwise.
pub const ACTIVITY_TIMEOUT_SECONDS: u64 = 120;
/// The seconds to wait for the answer to a ping.
pub const PONG_TIMEOUT_SECONDS: u64 = 30;
/// The time of a signed HTTP API request must differ from the server's by less than this many
/// seconds.
pub const REQUEST_AGE_SECONDS: u64 = 600;
/// The most seconds that a cache channel keeps its last event.
pub const CACHE_SECONDS: u64 = 1_800;
