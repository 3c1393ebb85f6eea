use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::report::Report;
use crate::run;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Does what the command line says; the exit code is 0 when nothing was found, 1 when something was or the run failed, 2 for usage.
#[tokio::main]
pub async fn main() -> ExitCode {
    let line = CommandLine::read();
    let outcome = tokio::select! {
        outcome = run::run(&line) => outcome,
        interrupted = interrupted() => interrupted,
    };
    match outcome.and_then(|report| tell(&line, &report)) {
        Ok(code) => code,
        Err(failure) => {
            complain(&format!("chaos: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Ends the run, and everything that it started, when somebody asks for that.
async fn interrupted() -> Result<Report, Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Err("ended before its time".into())
}

/// The report where it was asked for, and the last line in words.
#[expect(clippy::print_stdout, reason = "what it is run for")]
fn tell(line: &CommandLine, report: &Report) -> Result<ExitCode, Failure> {
    let json = serde_json::to_string_pretty(report)?;
    match &line.report {
        Some(file) => std::fs::write(file, json + "\n")?,
        None => println!("{json}"),
    }
    println!("{}", report.in_words());
    Ok(if report.is_flawless() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stderr, reason = "a command complains there")]
fn complain(text: &str) {
    eprintln!("{text}");
}
