//! Tests the broker from outside, with raw WebSocket and HTTP clients over in-memory streams, so
//! that the clock can be paused, and over TCP where that matters.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod addresses;
mod authorization_expiry;
mod backpressure;
mod bad_frames;
mod cache;
mod client_events;
mod counts;
mod handshake;
mod http_api;
mod keep_alive;
mod origins;
mod presence;
mod publishing;
mod queries;
mod quota;
mod shutdown;
mod sign_in;
mod subscribing;
mod support;
mod tcp;
mod termination;
mod watchlist;
mod webhooks;
