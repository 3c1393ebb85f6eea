use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use internal_notifications_models::{NotificationId, Timestamp, UserId};
use sqlx::PgConnection;

use super::advance_turn::{step_in_turn, take_turn};
use super::database::{Database, Mutation, Outcome, Query};
use super::orphans;
use super::transaction::Transaction;
use crate::rules::rounds::{Place, share};
use crate::rules::withdrawal::{AT_ONCE, CANCELLED, Limits, Withdrawn};
use crate::sql::due_work::DueWork;
use crate::sql::failure::Failure;
use crate::sql::journal::{Inbox, Removal, read_removal};
use crate::sql::row;
use crate::{Advanced, StoreError};

/// Continues the next due withdrawals, in at most `limit` inboxes.
pub(super) async fn step(
    database: &Arc<Database>,
    work: &DueWork,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, StoreError> {
    let read = |after| database.read(Due { now, after, limit });
    let place = |of: &Withdrawal| (of.due_at, of.notification);
    let round = work.rounds.next(limit, place, read).await?;
    let count = round.0.len();
    let limits = Limits { inboxes: share(limit, count), cancelled: share(CANCELLED, count) };
    let withdraw = |due| withdraw(database, due, now, limits);
    step_in_turn(database, work, round, |withdrawal| withdrawal.notification, withdraw).await
}

/// Marks notifications as withdrawn where they are not, and continues their withdrawals. Returns
/// `None` while another server withdraws.
async fn withdraw(
    database: &Arc<Database>,
    mut withdrawals: Vec<Withdrawal>,
    now: Timestamp,
    limits: Limits,
) -> Result<Option<Advanced>, Failure> {
    let new: Vec<i64> = withdrawals.iter().filter(|of| !of.withdrawn).map(|of| of.notification).collect();
    if !new.is_empty() {
        let marked = database.try_write(MarkExpired { notifications: new, now }).await??;
        withdrawals.retain(|of| of.withdrawn || marked.contains(&of.notification));
    }
    if withdrawals.is_empty() {
        return Ok(Some(Advanced::default()));
    }
    let withdraw = Withdraw { withdrawals, at: now, limits, yields: true };
    Ok(database.try_write(withdraw).await??.map(|withdrawn| withdrawn.done))
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
    pub(super) fn of_retracted(id: &NotificationId, notification: i64) -> Self {
        let (id, reason) = (id.to_string(), "retracted".to_owned());
        Self { due_at: AT_ONCE, notification, id, reason, reached: 0, withdrawn: true }
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
/// It skips those that are just being pushed or delivered, and those that were retracted meanwhile.
struct MarkExpired {
    notifications: Vec<i64>,
    now: Timestamp,
}

impl Mutation for MarkExpired {
    type Answer = HashSet<i64>;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<HashSet<i64>>, Failure> {
        let sql = "UPDATE notifications SET withdrawn = true, withdrawn_at = $2 WHERE key IN
                       (SELECT key FROM notifications WHERE key = ANY($1) AND NOT withdrawn ORDER BY key FOR NO KEY UPDATE SKIP LOCKED)
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
    /// Whether to do nothing while another server withdraws, and to leave inboxes that another
    /// transaction has locked to a later step.
    pub(super) yields: bool,
}

/// A notification in an inbox, by their keys.
type Delivery = (i64, i64);

/// A delivery, and whether the inbox still has it.
type Found = (i64, i64, bool);

/// How far a step is with a notification.
#[derive(Default)]
struct Progress {
    /// The last inbox up to which everything is done.
    reached: Option<i64>,
    /// The number of deliveries that were looked at.
    found: usize,
    /// Whether an inbox is locked, so that everything after it is looked at again.
    is_blocked: bool,
}

impl Mutation for Withdraw {
    /// `None` while another server withdraws.
    type Answer = Option<Withdrawn>;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Option<Withdrawn>>, Failure> {
        if self.yields && !take_turn(transaction.connection, "withdrawal").await? {
            return Ok(Outcome::Rollback(Ok(None)));
        }
        let mut done = Advanced::default();
        let cancelled = self.cancel(transaction, &mut done).await?;
        let found = self.next_deliveries(transaction).await?;
        let (removed, progress) = self.remove(transaction, &found).await?;
        done.withdrawn = removed;

        let is_unfinished = |key: i64| {
            let has_more_inboxes = |of: &Progress| of.is_blocked || of.found >= self.limits.inboxes;
            let has_more_scheduled = cancelled.get(&key).is_some_and(|n| *n >= self.limits.cancelled as u64);
            has_more_scheduled || progress.get(&key).is_some_and(has_more_inboxes)
        };
        let keys = self.withdrawals.iter().map(|withdrawal| withdrawal.notification);
        let finished: Vec<i64> = keys.filter(|key| !is_unfinished(*key)).collect();
        let sql = "DELETE FROM withdrawals WHERE notification = ANY($1)";
        sqlx::query(sql).bind(&finished).execute(&mut *transaction.connection).await?;
        orphans::note(transaction.connection, &finished, self.at.as_millisecond()).await?;
        let (keys, last): (Vec<i64>, Vec<i64>) =
            progress.iter().filter_map(|(key, of)| Some((*key, of.reached?))).unzip();
        // Where every inbox is locked, there is nothing to do until one is free.
        done.has_more = removed > 0 || !(cancelled.is_empty() && finished.is_empty() && keys.is_empty());
        let sql = "UPDATE withdrawals w SET reached = greatest(w.reached, r.last)
                   FROM unnest($1::bigint[], $2::bigint[]) r (notification, last) WHERE w.notification = r.notification";
        sqlx::query(sql).bind(keys).bind(last).execute(&mut *transaction.connection).await?;
        let mut reached = BTreeMap::new();
        for (key, of) in progress.into_iter().filter(|(_, of)| of.found >= self.limits.inboxes) {
            reached.extend(of.reached.map(|last| (key, last)));
        }
        Ok(Outcome::Commit(Some(Withdrawn { done, reached })))
    }
}

impl Withdraw {
    /// Cancels scheduled deliveries, and returns how many of each notification.
    async fn cancel(
        &self,
        transaction: &mut Transaction<'_>,
        done: &mut Advanced,
    ) -> Result<HashMap<i64, u64>, Failure> {
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
        Ok(counts)
    }

    /// Returns the next deliveries of each notification, with those that have left their inbox: a
    /// notification that most users have removed would otherwise be read to its end in one
    /// statement.
    async fn next_deliveries(&self, transaction: &mut Transaction<'_>) -> Result<Vec<Found>, Failure> {
        let sql = "SELECT g.notification, d.inbox, d.is_present
                   FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY g (notification, reached, place)
                   CROSS JOIN LATERAL (SELECT inbox, removed_at IS NULL AS is_present FROM deliveries
                                       WHERE notification = g.notification AND inbox > g.reached
                                       ORDER BY inbox LIMIT $3) d
                   ORDER BY g.place, d.inbox";
        let (keys, reached): (Vec<i64>, Vec<i64>) =
            self.withdrawals.iter().map(|withdrawal| (withdrawal.notification, withdrawal.reached)).unzip();
        let query = sqlx::query_as(sql).bind(keys).bind(reached).bind(row::limit(self.limits.inboxes));
        Ok(query.fetch_all(&mut *transaction.connection).await?)
    }

    /// Removes notifications from inboxes. Returns the number of removals, and how far it is with
    /// each notification.
    async fn remove(
        &self,
        transaction: &mut Transaction<'_>,
        found: &[Found],
    ) -> Result<(u64, BTreeMap<i64, Progress>), Failure> {
        let present = found.iter().filter(|(.., is_present)| *is_present);
        let keys: Vec<i64> = present.clone().map(|(_, inbox, _)| *inbox).collect();
        let mut inboxes = transaction.lock_keys(&keys, !self.yields).await?;
        let users: HashMap<i64, UserId> =
            inboxes.iter().map(|(user, inbox)| (inbox.key, user.clone())).collect();
        let mut progress: BTreeMap<i64, Progress> = BTreeMap::new();
        for (notification, inbox, is_present) in found {
            let of = progress.entry(*notification).or_default();
            of.found += 1;
            of.is_blocked |= *is_present && !users.contains_key(inbox);
            if !of.is_blocked {
                of.reached = Some(*inbox);
            }
        }
        let deliveries: Vec<Delivery> = present
            .filter(|(_, inbox, _)| users.contains_key(inbox))
            .map(|(notification, inbox, _)| (*notification, *inbox))
            .collect();
        if deliveries.is_empty() {
            return Ok((0, progress));
        }
        let (notifications, keys): (Vec<i64>, Vec<i64>) = deliveries.iter().copied().unzip();
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
        let removals = self.removals()?;
        for delivery @ (notification, inbox) in &deliveries {
            let (Some(pending), Some(removal)) = (pending.get(delivery), removals.get(notification)) else {
                continue;
            };
            let inbox: Option<&mut Inbox> = users.get(inbox).and_then(|user| inboxes.get_mut(user));
            let Some(inbox) = inbox else { continue };
            transaction.journal.removed(inbox, self.at, removal.clone(), u64::from(*pending))?;
        }
        transaction.flush(inboxes).await?;
        Ok((pending.len() as u64, progress))
    }

    /// Returns the id of each notification, and why it is withdrawn.
    fn removals(&self) -> Result<HashMap<i64, Removal>, Failure> {
        let removal = |of: &Withdrawal| Ok((of.notification, read_removal(&of.id, &of.reason)?));
        self.withdrawals.iter().map(removal).collect()
    }
}
