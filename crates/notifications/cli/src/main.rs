#![doc = include_str!("../README.md")]

mod client;
mod command;
mod command_line;
mod env;
mod error;
mod escape;
mod logging;
mod open_files;
mod output;
mod server_options;
mod shell_quote;
mod signals;
mod ttl;

use std::process::ExitCode;

use command_line::CommandLine;
use mimalloc::MiMalloc;

/// Requests and events allocate much and briefly; see docs/decisions.md.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match CommandLine::read().and_then(|line| line.map_or(Ok(()), CommandLine::run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(message) = error.message() {
                output::print_to_stderr(&format!("internal-notifications: {message}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}
