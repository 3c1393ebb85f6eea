//! Pins the server to core 0 and the load to core 1 with `taskset`.

use std::process::{Command, ExitCode};

const PINNED: &str = "BENCH_IS_PINNED";

pub(crate) fn is_pinned() -> bool {
    std::env::var_os(PINNED).is_some()
}

/// Runs this program again, pinned to the load's core.
pub(crate) fn run_pinned() -> ExitCode {
    let mut command = on_core(1, std::env::current_exe().unwrap().as_os_str());
    match command.args(std::env::args_os().skip(1)).env(PINNED, "1").status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("this needs taskset (util-linux): {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns a command for a server, pinned to its core if the load is pinned.
pub(crate) fn server(program: &std::ffi::OsStr) -> Command {
    if is_pinned() { on_core(0, program) } else { Command::new(program) }
}

fn on_core(core: u32, program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(core.to_string()).arg(program);
    command
}

/// Returns whether a process may open this many files.
pub(crate) fn has_descriptors(count: usize) -> bool {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    soft.is_none_or(|soft| soft >= count)
}
