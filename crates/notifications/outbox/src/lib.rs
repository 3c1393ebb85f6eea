// The example of the README needs the feature `sqlite`.
#![cfg_attr(any(not(doctest), feature = "sqlite"), doc = include_str!("../README.md"))]

mod connection;
mod error;
mod outbox;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use connection::OutboxConnection;
pub use error::{OutboxError, OutboxErrorKind};
pub use internal_notifications_models::{InternalNotification, JsonText, NotificationId, UserId};
pub use outbox::Outbox;
#[doc(no_inline)]
pub use sqlx;

/// The name of the table that holds the intents, in every database.
pub const TABLE: &str = "internal_notifications_intents";
