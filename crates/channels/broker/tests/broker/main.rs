//! The broker from outside: raw WebSocket and HTTP clients over in-memory streams, so that the
//! clock can be paused; and over TCP where that is the point.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authorization_end;
mod backpressure;
mod bad_frames;
mod cache;
mod client_events;
mod counts;
mod handshake;
mod http_api;
mod keepalive;
mod presence;
mod publishing;
mod queries;
mod quota;
mod shutdown;
mod signing_in;
mod subscribing;
mod support;
mod tcp;
mod terminating;
mod watchlist;
mod webhooks;
