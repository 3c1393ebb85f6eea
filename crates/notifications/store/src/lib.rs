#![doc = include_str!("../README.md")]

mod advanced;
mod clock;
mod committed;
mod digest;
mod error;
mod idempotency;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod retention;
#[cfg(any(feature = "memory", feature = "postgres", feature = "sqlite"))]
mod rules;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod store;
mod sweep;

pub use advanced::Advanced;
pub use clock::{Clock, SystemClock};
pub use committed::Committed;
pub use error::{StoreError, StoreErrorKind};
pub use idempotency::IdempotencyKey;
/// What a write does.
pub use internal_notifications_service::InboxCommand as WriteKind;
pub use retention::Retention;
pub use store::{Push, Store, Unpublishable, Unpublished, Write};
pub use sweep::{Drift, Sweep, Swept};
