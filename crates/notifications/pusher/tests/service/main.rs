//! Tests of the service against a server in memory with the real broker, over in-memory connections
//! and a paused clock.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod ending;
mod identity;
mod lifecycle;
mod live;
mod live_only;
mod offline;
mod older;
mod over_tcp;
mod restarts;
mod signing_in;
mod status;
mod support;
mod updates;
mod waking;
mod writes;
