//! `cargo xtask soak`: lets thousands of connections come, join, leave and die at the real broker
//! while three publishers publish, and checks at the end that the broker, its webhooks and all
//! clients agree.
//!
//! `docs/reliability.md` describes what it does.

mod broker;
mod checks;
mod command_line;
mod connection;
mod order;
mod publishers;
mod recorder;
mod round;
mod visitor;
mod webhooks;
mod world;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::command_line::CommandLine;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the output of a command")]
async fn main() -> ExitCode {
    match round::run(&CommandLine::parse()).await {
        Ok(0) => {
            println!("soak: nothing was found");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            println!("soak: {findings} findings");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}
