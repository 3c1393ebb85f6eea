//! The SQLite store: what it promises, and the rules of `InboxLog` on disk.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may")]

mod backing_up;
mod bench_store;
mod catching_up;
mod committing;
mod database_file;
mod migrating;
mod publishing;
mod pushing;
mod reading;
mod rules;
mod sweeping;
mod withdrawing;
mod writing;
