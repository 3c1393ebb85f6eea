#![doc = include_str!("../README.md")]

mod api;
mod broker;
mod builder;
mod connection;
mod error;
mod limits;
mod mailbox;
mod registry;
mod session;
mod timers;
mod upgrade;
mod webhook;

pub use broker::{App, Broker};
pub use builder::Builder;
pub use error::{Error, ErrorKind};
pub use limits::Limits;
// Part of this crate's signatures.
pub use pusher_protocol::{ChannelName, EventName, SocketId};
pub use pusher_signer::Signer;
pub use webhook::Webhook;
