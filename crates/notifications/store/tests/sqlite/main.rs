//! The behaviour of the SQLite store beyond what all stores share.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may")]

mod backing_up;
mod batching;
mod committing;
mod database_file;
mod far_behind;
mod fixture;
mod migrating;
mod planning;
mod sweeping;
#[path = "../support/values.rs"]
mod values;
mod withdrawing;
