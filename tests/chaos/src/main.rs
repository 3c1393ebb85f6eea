//! `cargo xtask chaos`: real servers under faults while writers write, and real clients that must end equal to them.
//!
//! What it does, and what its figures mean: `docs/reliability.md`.

#![cfg(unix)] // It sends signals.

mod check;
mod command_line;
mod database;
mod engine;
mod expected;
mod failure;
mod fault;
mod findings;
mod inbox;
mod ledger;
mod lines;
mod lossy;
mod machines;
mod node;
mod persistent;
mod port;
mod postgres;
mod program;
mod recovery;
mod replica;
mod report;
mod run;
mod scene;
mod sent;
mod sqlite_file;
mod user;
mod writer;

use clap::Parser;
use command_line::CommandLine;
use failure::Failure;
use report::Report;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let line = CommandLine::parse();
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
