use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::PgConnection;

use super::database::Database;
use super::setting::Ping;
use crate::sql::due_work::DueWork;
use crate::sql::failure::Failure;
use crate::{Advanced, StoreError};

/// Takes a step with due notifications for which `step` returns `None` while another server has the
/// turn. Then there is no more to do, even if the round of the notifications goes on.
pub(super) async fn step_in_turn<T: Clone, F>(
    database: &Arc<Database>,
    work: &DueWork,
    (due, round_continues): (Vec<T>, bool),
    key: fn(&T) -> i64,
    step: impl Fn(Vec<T>) -> F,
) -> Result<Advanced, StoreError>
where
    F: Future<Output = Result<Option<Advanced>, Failure>>,
{
    let has_turn = &AtomicBool::new(true);
    let step = |due| {
        let step = step(due);
        async move {
            let done = step.await?;
            has_turn.fetch_and(done.is_some(), Ordering::Relaxed);
            Ok(done.unwrap_or_default())
        }
    };
    let mut done = work.step(due, key, step, || works(database)).await?;
    done.has_more |= round_continues && has_turn.load(Ordering::Relaxed);
    Ok(done)
}

/// Returns whether the database can be written, as a call would.
async fn works(database: &Arc<Database>) -> bool {
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
