//! The broker from outside: raw WebSocket and HTTP clients over in-memory streams, so that the clock can be paused; and over
//! TCP where that is the point.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod backpressure;
mod bad_frames;
mod handshake;
mod http_api;
mod keepalive;
mod publishing;
mod shutdown;
mod subscribing;
mod support;
mod tcp;
