//! The broker beside sockudo and beside a bare loop: the server on one core, the load on the other, each peer in a process of its own and in
//! the same run.
//!
//! `SOCKUDO_BIN=… cargo bench -p benches --bench broker [NAME …]`; the names are those of the rooms: `fan-out`, `latency`, `private`, `memory`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with inputs of its own"
)]

mod bare;
mod cores;
mod fan_out;
mod figures;
mod latency;
mod memory;
mod peers;
mod private;
mod publisher;
mod served;
mod subscriber;

use std::process::ExitCode;

use peers::Peer;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve-broker"] => served::run(),
        ["serve-bare"] => bare::run(),
        _ => measure(&arguments),
    }
}

fn measure(arguments: &[String]) -> ExitCode {
    let full = arguments.iter().any(|argument| argument == "--bench");
    if full && !cores::is_pinned() {
        return cores::run_pinned();
    }
    if full && !cores::has_descriptors(peers::CONNECTIONS + 200) {
        println!("it needs {} open files: ulimit -n 8192, and again", peers::CONNECTIONS + 200);
        return ExitCode::FAILURE;
    }
    let wanted = |name: &str| {
        let mut names = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
        names.peek().is_none() || names.any(|wanted| wanted == name)
    };
    let peers = Peer::all();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if wanted("fan-out") {
            fan_out::run(&peers, full).await;
        }
        if wanted("latency") {
            latency::run(&peers, full).await;
        }
        if wanted("private") {
            private::run(&peers, full).await;
        }
        if wanted("memory") {
            memory::run(&peers, full).await;
        }
    });
    ExitCode::SUCCESS
}
