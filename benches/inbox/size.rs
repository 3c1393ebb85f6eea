//! Cases of the size at which a service that works in one queue for everybody fails everybody.

mod bodies;
mod bystander;
mod due;
mod engine;
mod far_engine;
mod sweep;
mod withdrawal;

use crate::arguments::Arguments;
use crate::setup::Database;

/// Runs the selected cases.
pub(crate) async fn run(database: &Database, arguments: &Arguments) {
    let full = arguments.is_bench_run();
    let selects = |name| arguments.selects("size") || arguments.selects(name);
    if selects("size-sweep") {
        sweep::run(database, full).await;
    }
    if selects("size-bodies") {
        bodies::run(database, full).await;
    }
    if selects("size-due") {
        due::run(database, full).await;
    }
    if selects("size-cancel") {
        for scheduled in if full { &[1_000_000, 2_000_000][..] } else { &[2_000] } {
            withdrawal::cancel(database, *scheduled).await;
        }
    }
    if selects("size-expiry") {
        withdrawal::expire_scheduled(database, if full { 2_000_000 } else { 2_000 }).await;
        withdrawal::expire_delivered(database, if full { 100_000 } else { 1_000 }).await;
    }
    if selects("size-engine") {
        far_engine::run(database, full).await;
    }
}
