//! `cargo xtask chaos`: real servers under faults while writers write, and real clients that must end equal to them.
//!
//! What it does, and what its figures mean: `docs/reliability.md`.

#![cfg(unix)] // It sends signals.

mod check;
mod command;
mod command_line;
mod database;
mod engine;
mod expected;
mod failure;
mod fault;
mod findings;
mod inbox;
mod ledger;
mod lines;
mod lossy;
mod machines;
mod node;
mod persistent;
mod port;
mod postgres;
mod program;
mod recovery;
mod replica;
mod report;
mod run;
mod scene;
mod sent;
mod sqlite_file;
mod user;
mod writer;

pub use command::main;
