//! The suite itself: right services pass it, and wrong ones are refused with the bullet named.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod mock;
mod right;
#[cfg(feature = "server")]
mod server;
mod skipping;
mod wrong;
