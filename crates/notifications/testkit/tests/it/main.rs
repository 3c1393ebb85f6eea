//! Tests of the suite: correct services pass it, and each fault violates its bullet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod correct_services;
mod faulty_services;
mod mock;
mod skipped_bullets;
#[cfg(feature = "server")]
mod test_server;
