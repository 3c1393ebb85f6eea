//! `cargo xtask chaos`, and its part of `cargo xtask test`.

use crate::runner::Step;
use crate::tools;
use std::process::{Command, ExitCode};

/// Builds what it needs and becomes what does it.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let mut build = tools::cargo();
    build.args(["build", "--quiet", "--package", "internal-notifications-cli", "--package", "chaos"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let error = tools::become_it(chaos().args(args));
    eprintln!("cargo xtask chaos: {error}");
    ExitCode::FAILURE
}

/// A minute, or ten. Cargo has built it all for its own tests by then.
pub(crate) fn step(long: bool) -> Step {
    let mut command = chaos();
    command.args(["--seconds", if long { "600" } else { "60" }]);
    command.arg("--report").arg(tools::built("chaos").with_file_name("chaos-sqlite.json"));
    Step::new("chaos", vec![command])
}

fn chaos() -> Command {
    let mut command = Command::new(tools::built("chaos"));
    command.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
    command
}
