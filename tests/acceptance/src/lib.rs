//! Tests of the real binary as a black box: through its command line, HTTP, WebSocket and TCP.
//!
//! `INTERNAL_NOTIFICATIONS_BIN` names a binary to test instead of the one that cargo builds here.
//! With `ACCEPTANCE_ALL=1` a test that this machine cannot run fails instead of being skipped.

#![cfg(all(test, unix))] // The tests send signals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod cases;
mod support;
