//! Tests of the relay, from an app's transaction to its users' inboxes. Those for PostgreSQL run if
//! `TEST_POSTGRES_URL` names a database.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may"
)]

mod inboxes;
mod postgres;
mod postgres_app;
mod sqlite;
mod sqlite_app;

use std::time::Duration;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);
