//! Tests the HTTP API client and the HTTP authorizer against a small server on a free port.
#![cfg(all(feature = "http", feature = "websocket"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod authorizer;
mod calls;
mod channels_server;
mod reasons;
mod retrying;
mod server;
