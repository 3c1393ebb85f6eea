//! Tests of the server over HTTP, each on its own port and database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod app;
mod auth;
mod bodies;
mod changes;
mod channel_auth;
mod clock;
mod connections;
mod drift;
mod due;
mod engine;
mod idempotency;
mod inbox;
mod lifecycle;
mod limits;
mod live;
mod log;
mod metrics;
mod openapi;
mod page;
mod parts;
mod problems;
mod push;
mod raw;
mod scheduled;
mod shutdown;
mod stand_in_engine;
mod supervision;
mod surroundings;
mod websocket;
