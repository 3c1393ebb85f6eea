//! xtask in the place of rustdoc.
//!
//! A stable rustdoc lets `compile_fail,E0308` pass whatever the error is: it compares the codes
//! only where unstable features are allowed. Allowing them to cargo as a whole would build
//! everything anew for some build scripts; so cargo is given xtask for a rustdoc, which allows them
//! to rustdoc alone.

use std::process::{Command, ExitCode};

const MEANT: &str = "XTASK_IS_RUSTDOC";

/// Makes the doctests that this cargo runs fail for another error than the one they name.
pub(crate) fn check_error_codes(cargo: &mut Command) {
    if let Ok(xtask) = std::env::current_exe() {
        cargo.env("RUSTDOC", xtask).env(MEANT, "1");
    }
}

/// Whether cargo has called rustdoc.
pub(crate) fn is_meant() -> bool {
    std::env::var_os(MEANT).is_some()
}

pub(crate) fn run() -> ExitCode {
    let mut rustdoc = Command::new("rustdoc");
    rustdoc.args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").env_remove(MEANT);
    match rustdoc.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot start rustdoc: {error}");
            ExitCode::FAILURE
        }
    }
}
