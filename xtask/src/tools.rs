//! The programs that the steps call.

use std::env;
use std::ffi::OsStr;
use std::io;
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

/// Becomes that program where the system can, so that Ctrl-C and the exit status are its own. Returns only why not.
#[cfg(unix)]
pub(crate) fn become_it(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Becomes that program where the system can. Returns only why not.
#[cfg(not(unix))]
pub(crate) fn become_it(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// Whether cargo has this subcommand.
pub(crate) fn cargo_has(subcommand: &str) -> bool {
    answers(cargo().args([subcommand, "--version"]))
}

/// Whether `program --version` works.
pub(crate) fn has(program: impl AsRef<OsStr>) -> bool {
    answers(Command::new(program).arg("--version"))
}

/// Whether it runs, and succeeds.
pub(crate) fn answers(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    matches!(command.stderr(Stdio::null()).status(), Ok(status) if status.success())
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Our binary as `cargo build` leaves it.
pub(crate) fn built_binary() -> PathBuf {
    built("internal-notifications")
}

/// A program of the workspace as `cargo build` leaves it: beside xtask, which the same cargo built.
pub(crate) fn built(name: &str) -> PathBuf {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let xtask = env::current_exe().unwrap_or_default();
    xtask.with_file_name(name)
}
