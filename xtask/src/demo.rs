//! `cargo xtask demo`.

use crate::tools;
use std::process::ExitCode;

pub(crate) const RUN: [&str; 7] =
    ["run", "--package", "internal-notifications-cli", "--bin", "internal-notifications", "--", "demo"];

/// Becomes the demo.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let mut command = tools::cargo();
    command.args(RUN).args(args);
    let error = tools::become_it(&mut command);
    eprintln!("cargo xtask demo: {error}");
    ExitCode::FAILURE
}
