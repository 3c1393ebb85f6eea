//! What the inbox costs on a disk, each figure beside its reference in the same run.
//!
//! `cargo bench -p benches --bench inbox [NAME …]`; the names are those of the rooms: `reads`, `opening`, `fan-out`, `pushers`, `heads`,
//! `upkeep`, `catch-up`. With
//! TEST_POSTGRES_URL set, PostgreSQL is measured too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with inputs of its own"
)]

#[path = "../shared/arguments.rs"]
#[expect(dead_code, reason = "it has no servers of its own to be called as")]
mod arguments;
mod catch_up;
mod fan_out;
mod heads;
mod measure;
mod opening;
mod pushers;
mod reads;
mod setup;
mod upkeep;

use arguments::Arguments;
use setup::Database;

fn main() {
    let arguments = Arguments::read();
    let full = arguments.are_of_bench();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for database in Database::all() {
            if arguments.want("reads") {
                reads::run(&database, full).await;
            }
            if arguments.want("opening") {
                opening::run(&database, full).await;
            }
            if arguments.want("fan-out") {
                fan_out::run(&database, full).await;
            }
            if arguments.want("pushers") {
                pushers::run(&database, full).await;
            }
            if arguments.want("heads") {
                heads::run(&database, full).await;
            }
            if arguments.want("upkeep") {
                upkeep::run(&database, full).await;
            }
        }
        if arguments.want("catch-up") {
            catch_up::run(full).await;
        }
    });
}
