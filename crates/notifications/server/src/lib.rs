#![doc = include_str!("../README.md")]

mod accept;
pub mod auth;
mod backoff;
pub mod config;
pub mod dispatcher;
mod error;
mod http;
mod ids;
mod kept;
mod live;
pub mod metrics;
pub mod realtime;
pub mod relay;
mod server;
mod stop;
pub mod upkeep;

pub use accept::{local_url, serve};
pub use auth::{Principal, TokenIssuer};
pub use config::{Config, ConfigError, Database, Limits, unknown_names};
pub use error::{Error, ErrorKind};
pub use http::{Access, App, build_router};
pub use ids::{Ids, UuidV7};
pub use internal_notifications_store as store;
pub use internal_notifications_store::{Clock, SystemClock};
pub use server::{RunningServer, Server};
