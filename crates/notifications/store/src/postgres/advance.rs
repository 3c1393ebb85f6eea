use std::sync::Arc;

use super::database::Database;
use super::{deliver, withdraw};
use crate::sql::due_work::{DueWork, both};
use crate::{Advanced, StoreError};
use internal_notifications_models::Timestamp;

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
