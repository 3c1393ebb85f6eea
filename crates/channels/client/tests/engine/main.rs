//! Tests both clients against a Channels engine over real sockets: this project's broker, or with
//! `ENGINE=sockudo` the program from `SOCKUDO_BIN` or the `PATH`. `known_differences.rs` lists
//! where the engines differ.
#![cfg(all(feature = "http", feature = "websocket"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod broker;
mod channels;
mod client_events;
mod counts;
mod engine;
mod known_differences;
mod next_event;
mod presence;
mod publishing;
mod queries;
mod refusals;
mod sockudo;
mod users;
mod webhooks;
