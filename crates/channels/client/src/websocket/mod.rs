//! The WebSocket client. One task, the actor, owns the connection and the subscriptions; handles send it commands.

mod actor;
mod backoff;
mod builder;
mod client;
mod command;
mod connector;
mod dial;
mod event;
mod inbound;
mod keep_alive;
mod link;
mod loss;
mod queue;
mod registry;
mod session;
mod settings;
mod state;
mod subscription;

pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use client::Client;
pub use connector::{BoxTransport, Connector, TcpConnector, Transport};
pub use event::{ChannelEvent, Event};
pub use state::{ConnectionState, Errors, States};
pub use subscription::Subscription;
