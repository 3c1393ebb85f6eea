// The README shows every feature, so its code compiles only with all of them.
#![cfg_attr(all(feature = "axum", feature = "encrypted"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "axum", feature = "encrypted")),
    doc = "Creates and verifies every signature of Pusher Channels."
)]

mod auth_request;
mod channel;
#[cfg(feature = "encrypted")]
pub mod encrypted;
mod encryption;
mod error;
mod hex;
mod presence_data;
mod request;
mod signer;
mod url;
mod user;
mod user_data;
mod webhook;

pub use auth_request::AuthRequest;
#[cfg(feature = "axum")]
pub use axum_core;
pub use channel::ChannelAuthorization;
pub use encryption::EncryptionMasterKey;
pub use error::{Error, ErrorKind};
pub use presence_data::PresenceData;
pub use pusher_protocol::{ChannelName, SocketId};
pub use request::{ExpectedBody, Request};
pub use signer::Signer;
pub use url::PusherUrl;
pub use user::UserAuthentication;
pub use user_data::UserData;
#[cfg(feature = "axum")]
pub use webhook::WebhookRejection;
pub use webhook::{ClientEvent, ReceivedWebhook, Webhook, WebhookEvent, WebhookReceiver};
