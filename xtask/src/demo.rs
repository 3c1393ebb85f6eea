//! `cargo xtask demo`.

use crate::{tools, web};
use std::process::ExitCode;

pub(crate) const RUN: [&str; 7] =
    ["run", "--package", "internal-notifications-cli", "--bin", "internal-notifications", "--", "demo"];

/// Builds the page if it is out of date, and becomes the demo.
pub(crate) fn run(args: &[String]) -> ExitCode {
    if let Err(error) = web::build_page(&tools::root()) {
        eprintln!("cargo xtask demo: the page could not be built, so the server has none: {error}");
    }
    let mut command = tools::cargo([]);
    command.args(RUN).args(args);
    let error = tools::become_program(&mut command);
    eprintln!("cargo xtask demo: {error}");
    ExitCode::FAILURE
}
