#![doc = include_str!("../README.md")]

mod command;
mod command_line;
mod env;
mod error;
mod inbox;
mod logs;
mod output;
mod shell;
mod stop;
mod ttl;
mod visible;

use std::process::ExitCode;

use command_line::CommandLine;

fn main() -> ExitCode {
    match CommandLine::read().and_then(|line| line.map_or(Ok(()), CommandLine::run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(text) = error.text() {
                output::complain(&format!("internal-notifications: {text}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}
