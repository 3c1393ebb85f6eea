//! Compares the broker with sockudo and with a minimal server. Each server runs in its own process
//! on one core, the load runs on the other, all in the same run.
//!
//! `SOCKUDO_BIN=… cargo bench -p benches --bench broker [NAME …]` with the measurements `fan-out`,
//! `latency`, `private` and `memory`. `size` measures large cases beside their goals: `fan-out`,
//! `private` and all of `size-departures`, `size-refused`, `size-restart`, `size-frames`,
//! `size-channels`, `size-presence`, `size-writes` and `size-cache`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with its own inputs"
)]

#[path = "../shared/arguments.rs"]
mod arguments;
mod bare;
#[path = "../shared/cores.rs"]
mod cores;
mod fan_out;
mod figures;
#[path = "../shared/goal.rs"]
mod goal;
mod latency;
mod memory;
mod ours;
mod peers;
mod private;
#[path = "../shared/process.rs"]
mod process;
mod publisher;
mod size;
mod subscriber;

use std::process::ExitCode;

use arguments::Arguments;
use mimalloc::MiMalloc;
use peers::Peer;

/// The allocator of the command, for the broker and for the bare loop.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    match arguments.command() {
        Some("serve-broker") => ours::run(&arguments),
        Some("serve-bare") => bare::run(),
        _ => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) -> ExitCode {
    let full = arguments.is_bench_run();
    if full && !cores::is_pinned() {
        return cores::run_pinned();
    }
    if full && !cores::has_descriptors(peers::CONNECTIONS + 200) {
        println!("this needs {} open files: run `ulimit -n 8192` and try again", peers::CONNECTIONS + 200);
        return ExitCode::FAILURE;
    }
    let peers = Peer::all();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let size = arguments.selects("size");
        if size || arguments.selects("fan-out") {
            fan_out::run(&peers, full).await;
        }
        if arguments.selects("latency") {
            latency::run(&peers, full).await;
        }
        if size || arguments.selects("private") {
            private::run(&peers, full).await;
        }
        if arguments.selects("memory") {
            memory::run(&peers, full).await;
        }
        size::run(&peers, arguments).await;
    });
    ExitCode::SUCCESS
}
