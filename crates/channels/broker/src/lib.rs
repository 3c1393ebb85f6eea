#![doc = include_str!("../README.md")]

mod broker;
mod builder;
mod clock;
mod close;
mod connection;
mod counter;
mod counters;
mod error;
mod frame_stream;
mod http_api;
mod limits;
mod metrics;
mod registry;
mod routes;
mod send_queue;
mod session;
mod shared;
mod tasks;
mod timers;
mod upgrade;
mod webhook;

pub use broker::Broker;
pub use builder::Builder;
pub use error::{Error, ErrorKind};
pub use limits::Limits;
pub use metrics::Metrics;
// Part of this crate's signatures.
pub use pusher_protocol::{ChannelName, EventName, SocketId};
pub use pusher_signer::Signer;
pub use webhook::{Webhook, WebhookDestination, WebhookError, WebhookKind};
