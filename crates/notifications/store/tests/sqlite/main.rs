//! What is the SQLite store's own, beside what every store does.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may")]

mod backing_up;
mod batching;
mod bench_store;
mod committing;
mod database_file;
mod far_behind;
mod migrating;
mod planning;
mod sweeping;
#[path = "../support/values.rs"]
mod values;
mod withdrawing;
