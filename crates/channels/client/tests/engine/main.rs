//! Both clients against a Channels engine, over real sockets: this project's broker in the process, or with `ENGINE=sockudo` the
//! program of that name from `SOCKUDO_BIN` or the `PATH`. What differs between them is in `differences.rs`.
#![cfg(all(feature = "http", feature = "websocket"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod broker;
mod channels;
mod client_events;
mod counts;
mod differences;
mod place;
mod presence;
mod publishing;
mod queries;
mod reading;
mod refusals;
mod sockudo;
mod users;
mod webhooks;
