//! `cargo xtask chaos`.

use crate::tools;
use std::process::{Command, ExitCode};

/// Builds the binary and becomes what torments it.
pub(crate) fn run(args: &[String]) -> ExitCode {
    match build().status() {
        Ok(status) if status.success() => {}
        _ => return ExitCode::FAILURE,
    }
    let error = tools::become_it(command().args(args));
    eprintln!("cargo xtask chaos: {error}");
    ExitCode::FAILURE
}

/// Builds what [`command`] runs.
pub(crate) fn build() -> Command {
    let mut build = tools::cargo();
    build.args(["build", "--quiet", "--package", "internal-notifications-cli", "--package", "chaos"]);
    build
}

/// The program, as it was built.
pub(crate) fn command() -> Command {
    let mut command = Command::new(tools::built("chaos"));
    command.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
    command
}
