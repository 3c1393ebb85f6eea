//! The real binary, as a shell would run it.

#![cfg(unix)] // The tests send signals.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backup;
mod binary;
mod broker;
mod chaos;
mod demo;
mod help;
mod retracting;
mod round_trip;
mod serve;
mod server;
mod sign;
mod tail;
mod tailing;
mod token;
