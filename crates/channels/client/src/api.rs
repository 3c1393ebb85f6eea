//! The HTTP API: publishes events, and answers queries about channels and users.

mod builder;
mod client;
mod data_encoder;
mod environment;
mod http;
mod info;
mod request;
mod response;
mod retry;
mod trigger;

pub use builder::HttpApiBuilder;
pub use client::HttpApi;
pub use info::{Attribute, CachedEvent, ChannelCounts, ChannelInfo};
pub use retry::Retry;
pub use trigger::{BatchEvent, Trigger};
