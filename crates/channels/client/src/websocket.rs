//! The WebSocket client. One task, the actor, owns the connection and the subscriptions; handles
//! send it commands.

mod actor;
mod binding;
mod builder;
mod client;
mod client_event;
mod command;
mod connect;
mod connection;
mod connector;
mod disconnect_reason;
mod event;
mod keep_alive;
mod members;
mod proxy;
mod queue;
mod rate_limiter;
mod reconnect;
mod registry;
mod server_message;
mod session;
mod settings;
mod sign_in;
mod state;
mod subscription;
mod tcp;
mod user;

pub use binding::{Binding, BoundEvent};
pub use builder::ClientBuilder;
pub use client::Client;
pub use connector::{BoxTransport, Connector, TcpConnector, Transport};
pub use event::{ChannelEvent, Event};
pub use members::{Member, Members};
pub use state::{ConnectionState, Errors, States};
pub use subscription::Subscription;
pub use user::{User, UserEvent};
