//! `cargo xtask soak`, and the soak step of `cargo xtask test --long`.

use crate::runner::Step;
use crate::tools;
use std::process::{Command, ExitCode};

/// Builds the soak program and the broker, and becomes the soak program.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let mut build = tools::cargo([]);
    build.args(["build", "--quiet", "--package", "internal-notifications-cli", "--package", "soak"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let error = tools::become_program(soak().args(args));
    eprintln!("cargo xtask soak: {error}");
    ExitCode::FAILURE
}

/// Ten minutes with 9,000 connections. Earlier steps have built the programs.
pub(crate) fn step() -> Step {
    let mut command = soak();
    command.args(["--seconds", "600", "--connections", "9000"]);
    Step::new("soak", vec![command])
}

fn soak() -> Command {
    let mut command = Command::new(tools::built("soak"));
    command.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
    command
}
