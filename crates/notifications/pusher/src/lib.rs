#![doc = include_str!("../README.md")]

mod actor;
mod api;
mod authorizer;
mod base_url;
mod bearer;
mod builder;
mod channel;
mod config;
mod http;
mod identity;
mod inbox_client;
mod outlets;
mod refusal;
mod retry;
mod service;
mod settings;
mod start;
mod updates;
mod write;

pub use builder::PusherServiceBuilder;
pub use config::Config;
pub use http::{Http, HttpAnswer, HttpBody, HttpMethod, HttpRequest, MAX_ANSWER};
pub use identity::{Credentials, Identity};
pub use inbox_client::InboxClient;
pub use service::PusherService;
pub use updates::{Update, Updates};

/// The repository's README, whose Rust must compile.
#[cfg(doctest)]
#[doc = include_str!("../../../../README.md")]
struct RepositoryReadme;

pub use internal_notifications_models as models;
pub use internal_notifications_service as contract;
pub use pusher_client;
