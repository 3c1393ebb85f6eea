//! What every store does, whatever it keeps inboxes in: each claim is tested on each of them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may"
)]

#[macro_use]
mod backend;
mod bench;
mod catching_up;
mod expiring;
mod idempotency;
mod kept;
mod publishing;
mod pushing;
mod reading;
mod retaining;
mod retracting;
mod rules;
mod scheduling;
mod sharing;
#[path = "../support/values.rs"]
mod values;
mod writing;
