//! `cargo xtask chaos`: injects faults into real servers under load, and checks that real clients
//! converge to them.
//!
//! `docs/reliability.md` describes what it does and what its figures mean.

#![cfg(unix)] // It sends signals.

mod checks;
mod command;
mod command_line;
mod failure;
mod faults;
mod load;
mod network;
mod processes;
mod replica;
mod report;
mod run;
mod stalls;
mod strains;
mod testbed;

pub use command::main;
