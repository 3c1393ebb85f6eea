//! `cargo xtask`: the project's commands, thin glue over cargo, npm and pip.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod chaos;
mod demo;
mod fuzzing;
mod interop;
mod mutants;
mod packages;
mod plan;
mod runner;
mod soak;
mod test;
mod tools;
mod web;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  demo [--once] [args]    Run the demo. With --once, exit when its scenario ends.
  test [--all] [--long]   Run every test that this machine can run.
                            --all   Fail if this machine lacks something, instead of skipping tests.
                            --long  Run the long tests too: those marked #[ignore], chaos for ten
                                    minutes, the soak of the broker for ten, each fuzz target for
                                    half a minute, and mutants (hours).
  chaos [args]            Run real servers under faults while writers write; see chaos --help.
  soak [args]             Let thousands of connections come and go at the broker; see soak --help.
  mutants [crates]        List the changed lines that the tests of a crate miss.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((command, rest)) if command == "demo" => demo::run(rest),
        Some((command, rest)) if command == "chaos" => chaos::run(rest),
        Some((command, rest)) if command == "soak" => soak::run(rest),
        Some((command, rest)) if command == "mutants" => mutants::run(rest),
        Some((command, rest)) if command == "test" => match plan::Options::parse(rest) {
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
