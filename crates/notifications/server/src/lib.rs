#![doc = include_str!("../README.md")]

mod accept;
pub mod auth;
mod backoff;
mod broker_router;
mod clock_guard;
pub mod config;
pub mod dispatcher;
mod error;
mod generated_secrets;
mod health;
mod http;
mod ids;
pub mod metrics;
mod node;
pub mod realtime;
pub mod relay;
mod server;
mod supervisor;
mod task;
mod upkeep;

pub use accept::{listen, local_url, serve};
#[doc(no_inline)]
pub use async_trait::async_trait;
pub use auth::{Principal, TokenIssuer};
#[doc(no_inline)]
pub use axum;
pub use broker_router::broker_router;
pub use config::{Config, ConfigError, Database, Limits, unknown_names};
pub use error::{Error, ErrorKind};
pub use ids::{IdGenerator, UuidV7};
#[doc(no_inline)]
pub use internal_notifications_models as models;
#[doc(no_inline)]
pub use internal_notifications_store as store;
pub use internal_notifications_store::{Clock, SystemClock};
pub use node::{Node, NodeBuilder};
pub use server::Server;
#[doc(no_inline)]
pub use {pusher_broker, pusher_client, pusher_protocol, pusher_signer, tokio};
