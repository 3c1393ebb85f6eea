#![doc = include_str!("../README.md")]

mod channel;
mod close;
mod encode;
mod event_name;
mod frame;
pub mod limits;
mod socket_id;

pub use channel::{ChannelKind, ChannelName, InvalidChannelName};
pub use close::{CloseCode, Reaction};
pub use encode::{ErrorCode, Outgoing, published_event};
pub use event_name::{EventName, InvalidEventName, names};
pub use frame::{Data, Frame, FrameError, Handshake, Problem};
pub use socket_id::{InvalidSocketId, SocketId};

/// The protocol version that this crate speaks: the `protocol` parameter of the connection URL.
pub const PROTOCOL: u8 = 7;
