//! The real binary, tried from outside: through its command line, HTTP, WebSocket and TCP.
//!
//! `INTERNAL_NOTIFICATIONS_BIN` names another binary than the one that cargo builds here. With `ACCEPTANCE_ALL=1` a test that this machine
//! cannot run fails instead of saying so.

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

// The means.
mod binary;
mod broker;
mod disk;
mod inbox;
mod proxy;
mod server;
mod tail;
mod token;
mod view;

// What is tried.
mod backed_up;
mod basics;
mod brokered;
mod full_disk;
mod hostile;
mod killed;
mod on_postgres;
mod outbox;
mod proxied;
mod read_only;
mod restored;
mod scheduled;
mod secrets;
mod shown;
mod synced;
mod walked;
