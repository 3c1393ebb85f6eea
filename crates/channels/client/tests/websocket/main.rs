//! Tests the WebSocket client against a scripted server, over pipes and with a paused clock.
#![cfg(feature = "websocket")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod authorization;
mod bindings;
mod client_events;
mod connection;
mod encrypted;
mod keep_alive;
mod late_answers;
mod lifetime;
mod presence;
mod proxy;
mod reasons;
mod scripted_server;
mod sign_in;
mod subscription;
mod tls;
