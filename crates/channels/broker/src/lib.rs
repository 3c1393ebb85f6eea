#![doc = include_str!("../README.md")]

mod allowed_origin;
mod broker;
mod builder;
mod client_address;
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
mod room;
mod routes;
mod send_queue;
mod session;
mod shared;
mod tasks;
mod timers;
mod trusted_proxy;
mod upgrade;
mod webhook;

pub use allowed_origin::AllowedOrigin;
pub use broker::Broker;
pub use builder::Builder;
pub use error::{Error, ErrorKind};
pub use limits::Limits;
pub use metrics::Metrics;
// Part of this crate's signatures.
pub use pusher_protocol::{ChannelName, EventName, SocketId};
pub use pusher_signer::Signer;
pub use trusted_proxy::TrustedProxy;
pub use webhook::{Webhook, WebhookDestination, WebhookError, WebhookKind};
