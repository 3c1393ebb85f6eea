#![cfg_attr(feature = "websocket", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "websocket"), doc = "Pushes to an inbox server, for backends: [`InboxClient`].")]

mod api;
#[cfg_attr(not(feature = "websocket"), allow(dead_code, reason = "for the service alone"))]
mod base_url;
mod bearer;
mod http;
mod inbox_client;
#[cfg_attr(not(feature = "websocket"), allow(dead_code, reason = "for the service alone"))]
mod refusal;
#[cfg_attr(not(feature = "websocket"), allow(dead_code, reason = "for the service alone"))]
mod retry;

#[cfg(feature = "websocket")]
mod actor;
#[cfg(feature = "websocket")]
mod authorizer;
#[cfg(feature = "websocket")]
mod builder;
#[cfg(feature = "websocket")]
mod channel;
#[cfg(feature = "websocket")]
mod channels;
#[cfg(feature = "websocket")]
mod command;
#[cfg(feature = "websocket")]
mod config;
#[cfg(feature = "websocket")]
mod live_only;
#[cfg(feature = "websocket")]
mod outlets;
#[cfg(feature = "websocket")]
mod service;
#[cfg(feature = "websocket")]
mod session;
#[cfg(feature = "websocket")]
mod settings;
#[cfg(feature = "websocket")]
mod start;
#[cfg(feature = "websocket")]
mod updates;
#[cfg(feature = "websocket")]
mod user_authenticator;
#[cfg(feature = "websocket")]
mod user_bearer;

#[cfg(feature = "websocket")]
pub use builder::PusherServiceBuilder;
#[cfg(feature = "websocket")]
pub use channels::Channels;
#[cfg(feature = "websocket")]
pub use config::{Config, ConfiguredServer};
pub use http::{Http, HttpAnswer, HttpBody, HttpMethod, HttpRequest, MAX_ANSWER};
pub use inbox_client::InboxClient;
pub use internal_notifications_service::{Credentials, Identity};
#[cfg(feature = "websocket")]
pub use service::PusherService;
#[cfg(feature = "websocket")]
pub use updates::{Update, Updates};

pub use internal_notifications_models as models;
pub use internal_notifications_service as contract;
pub use pusher_client;
