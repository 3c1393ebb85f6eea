//! The programs that the steps call.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Cargo, without the variables that `cargo run` set for xtask itself: they would make some build scripts run anew.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether cargo has this subcommand.
pub(crate) fn cargo_has(subcommand: &str) -> bool {
    answers(cargo().args([subcommand, "--version"]))
}

/// Whether `program --version` works.
pub(crate) fn has(program: impl AsRef<OsStr>) -> bool {
    answers(Command::new(program).arg("--version"))
}

fn answers(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    matches!(command.stderr(Stdio::null()).status(), Ok(status) if status.success())
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The binary as `cargo build` leaves it: beside xtask, which the same cargo built.
pub(crate) fn built_binary() -> PathBuf {
    let name = format!("internal-notifications{}", env::consts::EXE_SUFFIX);
    let xtask = env::current_exe().unwrap_or_default();
    xtask.with_file_name(name)
}
