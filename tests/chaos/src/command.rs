use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::report::Report;
use crate::run;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the command. Exits with code 0 if nothing was found, 1 if something was found or the run
/// failed, and 2 for a usage error.
#[tokio::main]
pub async fn main() -> ExitCode {
    let line = CommandLine::read();
    let outcome = tokio::select! {
        outcome = run::run(&line) => outcome,
        failure = interrupted() => failure,
    };
    match outcome.and_then(|report| print(&line, &report)) {
        Ok(code) => code,
        Err(failure) => {
            print_error(&format!("chaos: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Waits for SIGINT or SIGTERM, which end the run and everything that it started.
async fn interrupted() -> Result<Report, Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Err("interrupted".into())
}

/// Writes the report to its file or stdout, and prints the findings and, as the last line, a
/// summary.
#[expect(clippy::print_stdout, reason = "the output of a command")]
fn print(line: &CommandLine, report: &Report) -> Result<ExitCode, Failure> {
    let json = serde_json::to_string_pretty(report)?;
    match &line.report {
        Some(file) => std::fs::write(file, json + "\n")?,
        None => println!("{json}"),
    }
    report.details().for_each(|detail| println!("{detail}"));
    println!("{}", report.summary());
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stderr, reason = "errors of a command")]
fn print_error(text: &str) {
    eprintln!("{text}");
}
