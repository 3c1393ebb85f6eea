#![doc = include_str!("../README.md")]

mod backoff;
mod channel;
mod close;
mod error_data;
mod event_name;
mod frame;
mod handshake;
mod json;
pub mod limits;
mod object;
mod presence;
mod protocol_event;
mod published;
mod socket_id;
mod user;

pub use backoff::Backoff;
pub use channel::{ChannelKind, ChannelName, InvalidChannelName};
pub use close::{CloseCode, Reaction};
pub use error_data::ErrorData;
pub use event_name::{EventName, InvalidEventName, names};
pub use frame::{Data, Frame, FrameError};
pub use handshake::Handshake;
pub use object::Object;
pub use presence::{Members, PresenceMember};
pub use protocol_event::ProtocolEvent;
pub use published::{client_event, published_event};
pub use socket_id::{InvalidSocketId, SocketId};
pub use user::{UserData, WatchlistChange, WatchlistChanges};

/// The protocol version of this crate: the `protocol` parameter of the connection URL.
pub const PROTOCOL: u8 = 7;
