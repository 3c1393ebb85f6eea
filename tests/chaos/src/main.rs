//! The command; see the library.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    chaos::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
