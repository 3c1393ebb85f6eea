use std::sync::Arc;

use internal_notifications_models::Timestamp;
use sqlx::PgConnection;

use super::database::Database;
use super::setting::Ping;
use super::{deliver, withdraw};
use crate::sql::due_work::{DueWork, both};
use crate::sql::failure::Failure;
use crate::{Advanced, StoreError};

/// The most inboxes that one transaction changes.
pub(super) const BATCH: usize = 1_000;

/// How far this server is with what is due.
#[derive(Debug, Default)]
pub(super) struct Progress {
    withdrawals: DueWork,
    deliveries: DueWork,
}

/// Takes a step with due withdrawals and one with due deliveries.
///
/// Neither waits for the other to be finished, or fails with it.
pub(super) async fn run(
    database: &Arc<Database>,
    progress: &Progress,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, StoreError> {
    let limit = limit.clamp(1, BATCH);
    let withdrawn = withdraw::step(database, &progress.withdrawals, now, limit).await;
    let delivered = deliver::step(database, &progress.deliveries, now, limit).await;
    both(withdrawn, delivered)
}

/// Returns whether the database can be written, as a call would.
pub(super) async fn works(database: &Arc<Database>) -> bool {
    database.permit().await.is_ok() && database.read(Ping).await.is_ok()
}

/// Takes the turn of one server until the end of the transaction, and returns whether it is free.
///
/// Servers that did the same work at the same time would wait for each other's inboxes. Besides, a
/// retraction could wait for as long as their transactions overlap.
pub(super) async fn take_turn(connection: &mut PgConnection, work: &'static str) -> Result<bool, Failure> {
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended(concat('internal-notifications ', $1, ' ', current_schema()), 0))";
    Ok(sqlx::query_scalar(sql).bind(work).fetch_one(connection).await?)
}
