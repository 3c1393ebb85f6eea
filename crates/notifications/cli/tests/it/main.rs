//! Tests of the binary, run as from a shell.

#![cfg(unix)] // The tests send signals.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backup;
mod broker;
mod chaos;
mod command_runner;
mod demo;
mod help;
#[cfg(target_os = "linux")]
mod open_files;
mod private_authority;
mod retract;
mod round_trip;
mod serve;
mod server;
mod sign;
mod tail;
mod tail_process;
mod tls_terminator;
mod token;
