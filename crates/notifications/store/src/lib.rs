// The example of the README needs the feature `sqlite`.
#![cfg_attr(any(not(doctest), feature = "sqlite"), doc = include_str!("../README.md"))]

mod advanced;
mod clock;
mod commit_listener;
mod digest;
mod error;
mod idempotency;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod push;
mod retention;
#[cfg(any(feature = "memory", feature = "postgres", feature = "sqlite"))]
mod rules;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod store;
mod store_time;
mod sweep;
mod unpublished;
mod write;

pub use advanced::Advanced;
pub use clock::{Clock, SystemClock};
pub use commit_listener::CommitListener;
pub use error::{StoreError, StoreErrorKind};
pub use idempotency::IdempotencyKey;
pub use internal_notifications_service::InboxCommand;
pub use push::Push;
pub use retention::Retention;
pub use store::{RETRACTED_AT_ONCE, Store};
pub use store_time::StoreTime;
pub use sweep::{Drift, PassedOver, Sweep, Swept};
pub use unpublished::{PublishLimits, Unpublished};
pub use write::Write;
