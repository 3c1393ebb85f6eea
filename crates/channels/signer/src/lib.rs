#![doc = include_str!("../README.md")]

mod channel;
#[cfg(feature = "encrypted")]
pub mod encrypted;
mod encryption;
mod error;
mod hex;
mod request;
mod signer;
mod user;
mod webhook;

pub use channel::ChannelAuthorization;
pub use encryption::EncryptionMasterKey;
pub use error::{Error, ErrorKind};
pub use request::Request;
pub use signer::Signer;
pub use user::UserAuthentication;
#[cfg(feature = "axum")]
pub use webhook::WebhookRejection;
pub use webhook::{ClientEvent, ReceivedWebhook, Webhook, WebhookEvent, WebhookReceiver};
// Part of this crate's signatures.
pub use pusher_protocol::{ChannelName, SocketId};
