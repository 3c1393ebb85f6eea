//! `cargo xtask soak`, and the soak step of `cargo xtask test --long`.

use crate::runner::Step;
use crate::tools;
use std::process::ExitCode;

/// Builds the soak program and the broker, and becomes the soak program.
pub(crate) fn run(args: &[String]) -> ExitCode {
    tools::run_black_box("soak", args)
}

/// Ten minutes with 9,000 connections. Earlier steps have built the programs.
pub(crate) fn step() -> Step {
    let mut command = tools::black_box("soak");
    command.args(["--seconds", "600", "--connections", "9000"]);
    Step::new("soak", vec![command])
}
