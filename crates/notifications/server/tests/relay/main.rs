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
mod plain_sql;
mod postgres;
mod postgres_app;
mod rounds;
mod sqlite;
mod sqlite_app;

use std::time::Duration;

use internal_notifications_server::relay::IntentSource;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asserts that 40 intents of about a megabyte are taken in parts, without those taken before.
async fn assert_taken_up_to_a_size(source: &mut dyn IntentSource) {
    let mut keys: Vec<i64> = Vec::new();
    for expected in [16, 16, 8, 0] {
        let taken = source.take(256, &keys).await.unwrap();
        assert_eq!(taken.len(), expected);
        keys.extend(taken.iter().map(|intent| intent.key));
        source.settle(Vec::new()).await.unwrap();
    }
    assert!(keys.is_sorted());
}
