//! Tests of the facade: the choice of a service, error messages, and switching the user.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod choice;
#[cfg(feature = "pusher")]
mod messages;
mod none;
mod not_in_build;
#[cfg(all(feature = "pusher", feature = "mock"))]
mod over_a_server;
mod support;
#[cfg(all(feature = "pusher", feature = "mock"))]
mod switching;
