//! The facade: which service is chosen, what people are told who got something wrong, and how a user is switched.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod chosen;
mod left_out;
#[cfg(feature = "pusher")]
mod messages;
mod none;
#[cfg(all(feature = "pusher", feature = "mock"))]
mod over_a_server;
mod support;
#[cfg(all(feature = "pusher", feature = "mock"))]
mod switching;
