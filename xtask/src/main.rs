//! `cargo xtask`: the project's commands, thin glue over cargo, npm and pip.
#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a command: this is how it speaks.

mod chaos;
mod demo;
mod fuzzing;
mod interop;
mod plan;
mod runner;
mod test;
mod tools;
mod web;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  demo [--once] [args]    run the demo; with --once exit after its scenario
  test [--all] [--long]   run every test that this machine can run
                            --all   what this machine lacks is a failure, not a skip
                            --long  the long tests too (those marked #[ignore], ten minutes of chaos, half a minute of
                            each fuzz target)
  chaos [args]            run real servers under faults while writers write; see chaos --help
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((command, rest)) if command == "demo" => demo::run(rest),
        Some((command, rest)) if command == "chaos" => chaos::run(rest),
        Some((command, rest)) if command == "test" => match test::Options::parse(rest) {
            Some(options) => test::run(&options),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}
