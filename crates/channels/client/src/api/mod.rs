//! The HTTP API: publishing events, and asking about channels and users.

mod answer;
mod builder;
mod call;
mod client;
mod environment;
mod info;
mod retry;
mod sealing;
mod trigger;

pub use builder::HttpApiBuilder;
pub use client::HttpApi;
pub use info::{Attribute, CachedEvent, ChannelCounts, ChannelInfo};
pub use retry::Retry;
pub use trigger::{BatchEvent, Trigger};
