use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use internal_notifications_models::{NotificationId, RemovedReason, Timestamp, UserId};
use sqlx::PgConnection;

use super::advance::take_turn;
use super::database::{Database, Mutation, Outcome, Query};
use super::orphans;
use super::transaction::Transaction;
use crate::rules::rounds::{Place, share};
use crate::rules::withdrawal::{CANCELLED, Limits};
use crate::sql::due_work::DueWork;
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;
use crate::sql::row;
use crate::{Advanced, StoreError};

/// Continues the next due withdrawals, in at most `limit` inboxes.
pub(super) async fn step(
    database: &Arc<Database>,
    work: &DueWork,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, StoreError> {
    let mut due = Vec::new();
    for after in work.rounds.places() {
        due = database.read(Due { now, after, limit }).await?;
        if !due.is_empty() {
            break;
        }
    }
    let last = due.last().filter(|_| due.len() == limit).map(|of| (of.due_at, of.notification));
    let ends_round = work.rounds.continue_after(last);
    let limits = Limits { inboxes: share(limit, due.len()), cancelled: share(CANCELLED, due.len()) };
    let withdraw = |due| withdraw(database, due, now, limits);
    let mut done = work.step(due, |withdrawal| withdrawal.notification, withdraw).await?;
    done.has_more |= !ends_round;
    Ok(done)
}

/// Marks notifications as withdrawn where they are not, and continues their withdrawals.
async fn withdraw(
    database: &Arc<Database>,
    mut withdrawals: Vec<Withdrawal>,
    now: Timestamp,
    limits: Limits,
) -> Result<Advanced, Failure> {
    let new: Vec<i64> = withdrawals.iter().filter(|of| !of.withdrawn).map(|of| of.notification).collect();
    if !new.is_empty() {
        let marked = database.try_write(MarkExpired { notifications: new, now }).await??;
        withdrawals.retain(|of| of.withdrawn || marked.contains(&of.notification));
    }
    if withdrawals.is_empty() {
        return Ok(Advanced::default());
    }
    Ok(database.try_write(Withdraw { withdrawals, at: now, limits, takes_turn: true }).await??)
}

/// A withdrawal that is due.
#[derive(Clone, Debug)]
pub(super) struct Withdrawal {
    pub(super) due_at: i64,
    pub(super) notification: i64,
    pub(super) id: String,
    /// As on the wire.
    pub(super) reason: String,
    /// The inboxes with keys up to this are done.
    pub(super) reached: i64,
    /// Whether the notification is marked as withdrawn, so that nobody receives it any more.
    pub(super) withdrawn: bool,
}

impl Withdrawal {
    /// Returns the withdrawal of a notification that was just retracted.
    pub(super) fn of_retracted(id: &NotificationId, notification: i64, at: i64) -> Self {
        let (id, reason) = (id.to_string(), "retracted".to_owned());
        Self { due_at: at, notification, id, reason, reached: 0, withdrawn: true }
    }
}

struct Due {
    now: Timestamp,
    after: Place,
    limit: usize,
}

impl Query for Due {
    type Answer = Vec<Withdrawal>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Withdrawal>, Failure> {
        let sql = "SELECT w.due_at, w.notification, n.id, w.reason, w.reached, n.withdrawn
                   FROM withdrawals w JOIN notifications n ON n.key = w.notification
                   WHERE w.due_at <= $1 AND (w.due_at, w.notification) > ($2, $3)
                   ORDER BY w.due_at, w.notification LIMIT $4";
        let query = sqlx::query_as(sql).bind(self.now.as_millisecond()).bind(self.after.0).bind(self.after.1);
        let rows: Vec<(i64, i64, String, String, i64, bool)> =
            query.bind(row::limit(self.limit)).fetch_all(connection).await?;
        let withdrawal = |(due_at, notification, id, reason, reached, withdrawn)| Withdrawal {
            due_at,
            notification,
            id,
            reason,
            reached,
            withdrawn,
        };
        Ok(rows.into_iter().map(withdrawal).collect())
    }
}

/// Marks expired notifications as withdrawn, and returns those that it marked.
///
/// It skips those that are just being pushed or delivered.
struct MarkExpired {
    notifications: Vec<i64>,
    now: Timestamp,
}

impl Mutation for MarkExpired {
    type Answer = HashSet<i64>;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<HashSet<i64>>, Failure> {
        let sql = "UPDATE notifications SET withdrawn = true, withdrawn_at = $2 WHERE key IN
                       (SELECT key FROM notifications WHERE key = ANY($1) ORDER BY key FOR NO KEY UPDATE SKIP LOCKED)
                   RETURNING key";
        let query = sqlx::query_scalar(sql).bind(&self.notifications).bind(self.now.as_millisecond());
        let marked: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        Ok(Outcome::Commit(marked.into_iter().collect()))
    }
}

/// Removes withdrawn notifications from the next inboxes, and cancels scheduled deliveries.
pub(super) struct Withdraw {
    pub(super) withdrawals: Vec<Withdrawal>,
    pub(super) at: Timestamp,
    pub(super) limits: Limits,
    /// Whether to do nothing while another server withdraws.
    pub(super) takes_turn: bool,
}

/// A notification in an inbox, by their keys.
type Delivery = (i64, i64);

impl Mutation for Withdraw {
    type Answer = Advanced;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Advanced>, Failure> {
        if self.takes_turn && !take_turn(transaction.connection, "withdrawal").await? {
            return Ok(Outcome::Rollback(Ok(Advanced::default())));
        }
        let mut done = Advanced { has_more: true, ..Advanced::default() };
        let mut unfinished = self.cancel(transaction, &mut done).await?;
        let deliveries = self.next_deliveries(transaction).await?;
        done.withdrawn = self.remove(transaction, &deliveries).await?;

        let mut reached: BTreeMap<i64, (i64, usize)> = BTreeMap::new();
        for (notification, inbox) in &deliveries {
            let (last, count) = reached.entry(*notification).or_default();
            (*last, *count) = (*inbox, *count + 1);
        }
        unfinished.extend(
            reached
                .iter()
                .filter(|(_, (_, count))| *count >= self.limits.inboxes)
                .map(|(notification, _)| *notification),
        );
        let keys = self.withdrawals.iter().map(|withdrawal| withdrawal.notification);
        let finished: Vec<i64> = keys.filter(|key| !unfinished.contains(key)).collect();
        let sql = "DELETE FROM withdrawals WHERE notification = ANY($1)";
        sqlx::query(sql).bind(&finished).execute(&mut *transaction.connection).await?;
        orphans::note(transaction.connection, &finished, self.at.as_millisecond()).await?;
        let (keys, last): (Vec<i64>, Vec<i64>) =
            reached.into_iter().map(|(notification, (last, _))| (notification, last)).unzip();
        let sql = "UPDATE withdrawals w SET reached = greatest(w.reached, r.last)
                   FROM unnest($1::bigint[], $2::bigint[]) r (notification, last) WHERE w.notification = r.notification";
        sqlx::query(sql).bind(keys).bind(last).execute(&mut *transaction.connection).await?;
        Ok(Outcome::Commit(done))
    }
}

impl Withdraw {
    /// Cancels scheduled deliveries, and returns the notifications that may have more.
    async fn cancel(
        &self,
        transaction: &mut Transaction<'_>,
        done: &mut Advanced,
    ) -> Result<HashSet<i64>, Failure> {
        let sql = "WITH cancelled AS (
                       DELETE FROM scheduled s USING
                           (SELECT g.notification, u.last FROM unnest($1::bigint[]) g (notification) CROSS JOIN LATERAL
                                (SELECT max(user_id) AS last FROM
                                     (SELECT user_id FROM scheduled WHERE notification = g.notification ORDER BY user_id LIMIT $2) f) u) next
                       WHERE s.notification = next.notification AND s.user_id <= next.last
                       RETURNING s.notification)
                   SELECT notification, count(*) FROM cancelled GROUP BY notification";
        let keys: Vec<i64> = self.withdrawals.iter().map(|withdrawal| withdrawal.notification).collect();
        let query = sqlx::query_as(sql).bind(keys).bind(row::limit(self.limits.cancelled));
        let counts: Vec<(i64, i64)> = query.fetch_all(&mut *transaction.connection).await?;
        let counts: HashMap<i64, u64> =
            counts.into_iter().map(|(notification, count)| (notification, count.cast_unsigned())).collect();
        // A retraction has already counted those that it cancels.
        let expired = self.withdrawals.iter().filter(|withdrawal| withdrawal.reason == "expired");
        done.expired = expired.filter_map(|withdrawal| counts.get(&withdrawal.notification)).sum();
        let limit = self.limits.cancelled as u64;
        Ok(counts
            .into_iter()
            .filter(|(_, count)| *count >= limit)
            .map(|(notification, _)| notification)
            .collect())
    }

    /// Returns the next deliveries of each notification that are in an inbox.
    async fn next_deliveries(&self, transaction: &mut Transaction<'_>) -> Result<Vec<Delivery>, Failure> {
        // `coalesce` keeps the planner from the index of all notifications that are kept.
        let sql = "SELECT g.notification, d.inbox
                   FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY g (notification, reached, place)
                   CROSS JOIN LATERAL (SELECT inbox FROM deliveries
                                       WHERE notification = g.notification AND inbox > g.reached AND coalesce(removed_at, -1) = -1
                                       ORDER BY inbox LIMIT $3) d
                   ORDER BY g.place, d.inbox";
        let (keys, reached): (Vec<i64>, Vec<i64>) =
            self.withdrawals.iter().map(|withdrawal| (withdrawal.notification, withdrawal.reached)).unzip();
        let query = sqlx::query_as(sql).bind(keys).bind(reached).bind(row::limit(self.limits.inboxes));
        Ok(query.fetch_all(&mut *transaction.connection).await?)
    }

    /// Removes notifications from inboxes, and returns the number of removals.
    async fn remove(
        &self,
        transaction: &mut Transaction<'_>,
        deliveries: &[Delivery],
    ) -> Result<u64, Failure> {
        if deliveries.is_empty() {
            return Ok(0);
        }
        let (notifications, keys): (Vec<i64>, Vec<i64>) = deliveries.iter().copied().unzip();
        let mut inboxes = transaction.lock_keys(&keys).await?;
        // The user, or another server, may have removed some already.
        let sql = "UPDATE deliveries d SET removed_at = $3 FROM unnest($1::bigint[], $2::bigint[]) r (notification, inbox)
                   WHERE d.notification = r.notification AND d.inbox = r.inbox AND coalesce(d.removed_at, -1) = -1
                   RETURNING d.notification, d.inbox, d.opened_at IS NULL";
        let query = sqlx::query_as(sql).bind(notifications).bind(&keys).bind(self.at.as_millisecond());
        let removed: Vec<(i64, i64, bool)> = query.fetch_all(&mut *transaction.connection).await?;
        let pending: HashMap<Delivery, bool> = removed
            .into_iter()
            .map(|(notification, inbox, pending)| ((notification, inbox), pending))
            .collect();
        let what = self.what()?;
        let users: HashMap<i64, UserId> =
            inboxes.iter().map(|(user, inbox)| (inbox.key, user.clone())).collect();
        for delivery @ (notification, inbox) in deliveries {
            let (Some(pending), Some(what)) = (pending.get(delivery), what.get(notification)) else {
                continue;
            };
            let inbox: Option<&mut Inbox> = users.get(inbox).and_then(|user| inboxes.get_mut(user));
            let Some(inbox) = inbox else { continue };
            transaction.journal.removed(inbox, self.at, what.clone(), u64::from(*pending))?;
        }
        transaction.flush(inboxes).await?;
        Ok(pending.len() as u64)
    }

    /// Returns the id of each notification, and why it is withdrawn.
    fn what(&self) -> Result<HashMap<i64, (Vec<NotificationId>, RemovedReason)>, Failure> {
        let of = |withdrawal: &Withdrawal| {
            let id = NotificationId::new(withdrawal.id.as_str())?;
            let reason = serde_json::from_value(withdrawal.reason.as_str().into())?;
            Ok((withdrawal.notification, (vec![id], reason)))
        };
        self.withdrawals.iter().map(of).collect()
    }
}
