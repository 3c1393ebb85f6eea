//! The relay: from an app's transaction to its users' inboxes. The PostgreSQL tests run where `TEST_POSTGRES_URL` names one.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may"
)]

mod inboxes;
mod plain_sql;
mod postgres;
mod postgres_app;
mod sqlite;
mod sqlite_app;

use std::time::Duration;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);
