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

#[path = "../shared/arguments.rs"]
mod arguments;
mod bare;
#[path = "../shared/cores.rs"]
mod cores;
mod fan_out;
mod figures;
mod latency;
mod memory;
mod peers;
mod private;
#[path = "../shared/process.rs"]
mod process;
mod publisher;
mod served;
mod subscriber;

use std::process::ExitCode;

use arguments::Arguments;
use peers::Peer;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    match arguments.command() {
        Some("serve-broker") => served::run(),
        Some("serve-bare") => bare::run(),
        _ => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) -> ExitCode {
    let full = arguments.are_of_bench();
    if full && !cores::is_pinned() {
        return cores::run_pinned();
    }
    if full && !cores::has_descriptors(peers::CONNECTIONS + 200) {
        println!("it needs {} open files: ulimit -n 8192, and again", peers::CONNECTIONS + 200);
        return ExitCode::FAILURE;
    }
    let peers = Peer::all();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if arguments.want("fan-out") {
            fan_out::run(&peers, full).await;
        }
        if arguments.want("latency") {
            latency::run(&peers, full).await;
        }
        if arguments.want("private") {
            private::run(&peers, full).await;
        }
        if arguments.want("memory") {
            memory::run(&peers, full).await;
        }
    });
    ExitCode::SUCCESS
}
