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

mod catch_up;
mod fan_out;
mod heads;
mod measure;
mod opening;
mod pushers;
mod reads;
mod setup;
mod upkeep;

use setup::Database;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--bench");
    let wanted = |name: &str| {
        let mut names = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
        names.peek().is_none() || names.any(|wanted| wanted == name)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for database in Database::all() {
            if wanted("reads") {
                reads::run(&database, full).await;
            }
            if wanted("opening") {
                opening::run(&database, full).await;
            }
            if wanted("fan-out") {
                fan_out::run(&database, full).await;
            }
            if wanted("pushers") {
                pushers::run(&database, full).await;
            }
            if wanted("heads") {
                heads::run(&database, full).await;
            }
            if wanted("upkeep") {
                upkeep::run(&database, full).await;
            }
        }
        if wanted("catch-up") {
            catch_up::run(full).await;
        }
    });
}
