//! Measures what the inbox costs with a database on disk, each figure with a reference from the
//! same run.
//!
//! `cargo bench -p benches --bench inbox [NAME …]` with the measurements `reads`, `opening`,
//! `fan-out`, `pushers`, `heads`, `upkeep` and `catch-up`. `size` measures large cases beside their
//! goals: `pushers` and all of `size-sweep`, `size-bodies`, `size-due`, `size-cancel`,
//! `size-expiry` and `size-engine`. With TEST_POSTGRES_URL it measures PostgreSQL too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with its own inputs"
)]

#[path = "../shared/arguments.rs"]
#[expect(dead_code, reason = "it is never started as a server")]
mod arguments;
mod catch_up;
mod fan_out;
#[path = "../shared/goal.rs"]
mod goal;
mod heads;
mod measure;
mod opening;
mod pushers;
mod reads;
mod setup;
mod size;
mod upkeep;

use arguments::Arguments;
use setup::Database;

fn main() {
    let arguments = Arguments::read();
    let full = arguments.is_bench_run();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut rates = pushers::Rates::default();
        for database in Database::all() {
            if arguments.selects("reads") {
                reads::run(&database, full).await;
            }
            if arguments.selects("opening") {
                opening::run(&database, full).await;
            }
            if arguments.selects("fan-out") {
                fan_out::run(&database, full).await;
            }
            if arguments.selects("pushers") || arguments.selects("size") {
                pushers::run(&database, &mut rates, full).await;
            }
            if arguments.selects("heads") {
                heads::run(&database, full).await;
            }
            if arguments.selects("upkeep") {
                upkeep::run(&database, full).await;
            }
            size::run(&database, &arguments).await;
        }
        if arguments.selects("catch-up") {
            catch_up::run(full).await;
        }
    });
}
