//! The behaviour that all stores share. Each test runs on each store.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may"
)]

#[macro_use]
mod backend;
mod catching_up;
mod expiring;
mod fixture;
mod idempotency;
mod publishing;
mod pushing;
mod pushing_together;
mod reading;
mod retaining;
mod retracting;
mod rules;
mod scheduling;
mod sharing;
mod store_data;
mod time;
#[path = "../support/values.rs"]
mod values;
mod writing;
