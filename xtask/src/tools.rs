//! The programs that the steps run.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Returns cargo without the variables that `cargo run` set for xtask: they would make some build
/// scripts run again.
pub(crate) fn cargo<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.args(args);
    command
}

/// Replaces this process by a program, so that it gets Ctrl-C and sets the exit status. Returns
/// only if that fails.
#[cfg(unix)]
pub(crate) fn become_program(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Runs a program and exits with its status. Returns only if it cannot be started.
#[cfg(not(unix))]
pub(crate) fn become_program(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// Builds our binary and the program of the workspace that tests it as a black box, and becomes
/// that program. Returns only if that fails.
pub(crate) fn run_black_box(name: &str, args: &[String]) -> ExitCode {
    let mut build = cargo(["build", "--quiet", "--package", "internal-notifications-cli", "--package", name]);
    if !build.status().is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let error = become_program(black_box(name).args(args));
    eprintln!("cargo xtask {name}: {error}");
    ExitCode::FAILURE
}

/// Returns a program of the workspace that tests our binary as a black box, both as cargo builds
/// them.
pub(crate) fn black_box(name: &str) -> Command {
    let mut command = Command::new(built(name));
    command.env("INTERNAL_NOTIFICATIONS_BIN", built_binary());
    command
}

/// Returns whether cargo has this subcommand.
pub(crate) fn cargo_has(subcommand: &str) -> bool {
    succeeds(&mut cargo([subcommand, "--version"]))
}

/// Returns whether `program --version` works.
pub(crate) fn has(program: impl AsRef<OsStr>) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

/// Returns whether a command runs and succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    matches!(command.stderr(Stdio::null()).status(), Ok(status) if status.success())
}

/// Returns the workspace's root.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Returns the path of our binary as cargo builds it.
pub(crate) fn built_binary() -> PathBuf {
    built("internal-notifications")
}

/// Returns the path of a program of the workspace as cargo builds it: beside xtask.
pub(crate) fn built(name: &str) -> PathBuf {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let xtask = env::current_exe().unwrap_or_default();
    xtask.with_file_name(name)
}
