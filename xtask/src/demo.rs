//! `cargo xtask demo`.

use crate::tools;
use std::io;
use std::process::{Command, ExitCode};

pub(crate) const RUN: [&str; 7] =
    ["run", "--package", "internal-notifications-cli", "--bin", "internal-notifications", "--", "demo"];

/// Becomes the demo where the system can, so that Ctrl-C and the exit status are the demo's own.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let mut command = tools::cargo();
    command.args(RUN).args(args);
    let error = become_it(&mut command);
    eprintln!("cargo xtask demo: {error}");
    ExitCode::FAILURE
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
