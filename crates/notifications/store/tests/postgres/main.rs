//! The behaviour of the PostgreSQL store beyond what all stores share. `TEST_POSTGRES_URL` names a
//! database for these tests.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod concurrency;
mod due_planning;
mod everything_at_once;
mod expiring;
mod fixture;
mod interleaving;
mod leases;
mod locking_the_broker;
mod losing_the_connection;
mod migrating;
mod opening;
mod planning;
mod retracting;
mod sharing_transactions;
mod snapshots;
mod stale_plans;
mod sweeping;
mod unreachable;
#[path = "../support/values.rs"]
mod values;
