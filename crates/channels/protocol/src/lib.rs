#![doc = include_str!("../README.md")]

mod backoff;
mod channel;
mod close;
mod encode;
mod event_name;
mod frame;
pub mod limits;
mod presence;
mod socket_id;
mod user;

pub use backoff::Backoff;
pub use channel::{ChannelKind, ChannelName, InvalidChannelName};
pub use close::{CloseCode, Reaction};
pub use encode::{ErrorCode, Outgoing, client_event, published_event};
pub use event_name::{EventName, InvalidEventName, names};
pub use frame::{Data, Frame, FrameError, Handshake, Problem};
pub use presence::{Members, PresenceMember};
pub use socket_id::{InvalidSocketId, SocketId};
pub use user::{UserData, WatchlistChange, WatchlistChanges};

/// The protocol version that this crate speaks: the `protocol` parameter of the connection URL.
pub const PROTOCOL: u8 = 7;
