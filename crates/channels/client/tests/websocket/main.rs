//! The WebSocket client against a scripted server, over pipes and a paused clock.
#![cfg(feature = "websocket")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod authorization;
mod connection;
mod keep_alive;
mod lifetime;
mod script;
mod subscription;
mod tls;
