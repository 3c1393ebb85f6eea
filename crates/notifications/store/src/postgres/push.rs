use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use internal_notifications_models::{NotificationId, Receipt, UserId};

use super::database::{Mutation, Outcome};
use super::transaction::Transaction;
use crate::StoreError;
use crate::rules::push::{NewPush, StoredNotification};
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;

/// Pushes that share a transaction and are executed in order, each with its own answer.
///
/// The number of statements does not depend on the number of pushes.
pub(super) struct SharedPush {
    pub(super) pushes: Vec<Arc<NewPush>>,
    /// Whether to wait for inboxes that another transaction has locked.
    pub(super) waits: bool,
}

/// What became of a push in a shared transaction.
pub(super) enum Pushed {
    Answered(Result<Receipt, StoreError>),
    /// Nothing: another transaction has locked one of its inboxes.
    Busy,
}

/// The answers stored with idempotency keys, by sender and key: the request and its receipt.
type Answers = HashMap<(String, String), (String, Receipt)>;

impl Mutation for SharedPush {
    type Answer = Vec<Pushed>;

    const KEEPS_PLANS: bool = true;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Vec<Pushed>>, Failure> {
        let mut answers = stored_answers(transaction, &self.pushes).await?;
        let open: Vec<&NewPush> =
            self.pushes.iter().map(|push| &**push).filter(|push| !is_answered(push, &answers)).collect();
        let users: BTreeSet<&str> = open.iter().flat_map(|push| &push.user_ids).map(UserId::as_str).collect();
        let users: Vec<&str> = users.into_iter().collect();
        let (mut inboxes, created) = transaction.create_and_lock(&users, self.waits).await?;
        let free: Vec<&NewPush> = open.into_iter().filter(|push| is_free(push, &inboxes)).collect();
        let inserted = insert(transaction, &free).await?;
        let existing: Vec<&NewPush> =
            free.into_iter().filter(|push| !inserted.contains_key(push.id.as_str())).collect();
        let mut stored = lock(transaction, &existing).await?;
        let mut recipients = recipients(transaction, &existing, &stored, &inboxes).await?;

        let mut pushed = Vec::with_capacity(self.pushes.len());
        let mut rows = Rows::default();
        for push in &self.pushes {
            let key = push.idempotency_key.as_ref().zip(push.caller_key());
            if let Some((key, (request, receipt))) =
                key.as_ref().and_then(|(key, caller_key)| Some((key, answers.get(caller_key)?)))
            {
                pushed.push(Pushed::Answered(key.answer(request, receipt.clone())));
                continue;
            }
            if !is_free(push, &inboxes) {
                pushed.push(Pushed::Busy);
                continue;
            }
            let checked = match stored.get(&push.id) {
                Some(stored) => push.check_stored(stored),
                None => push.check_new(),
            };
            if let Err(rejected) = checked {
                pushed.push(Pushed::Answered(Err(rejected)));
                continue;
            }
            if !stored.contains_key(&push.id) {
                // If it was just forgotten, a retry can store it.
                let (key, maker) = *inserted.get(push.id.as_str()).ok_or_else(Failure::came_between)?;
                if !std::ptr::eq(maker, &**push) {
                    // The row holds the notification of an earlier push, which turned out to repeat
                    // an idempotency key. Apart from that push, this one inserts its own.
                    return Err(Failure::came_between().transient(false).particular(true));
                }
                stored.insert(push.id.clone(), push.stored_as(key));
                rows.expiring.extend(push.expires_at.map(|expires_at| (key, expires_at.as_millisecond())));
            }
            let Some(notification) = stored.get(&push.id) else { continue };
            let receipt = push.deliver(notification, &mut inboxes, &mut recipients, &mut transaction.journal);
            rows.notifications.insert(notification.key);
            rows.users.extend(push.user_ids.iter().map(UserId::as_str));
            if let Some((key, caller_key)) = key {
                let answer = serde_json::to_string(&receipt)?;
                rows.answers
                    .insert(caller_key.clone(), (key.request.clone(), answer, push.at.as_millisecond()));
                answers.insert(caller_key, (key.request.clone(), receipt.clone()));
            }
            pushed.push(Pushed::Answered(Ok(receipt)));
        }
        if rows.notifications.is_empty() {
            return Ok(Outcome::Rollback(Ok(pushed)));
        }
        let keys = inserted.values().map(|(key, _)| *key);
        rows.remove_unused(transaction, &created, keys).await?;
        rows.expire(transaction).await?;
        transaction.flush(inboxes).await?;
        rows.store_answers(transaction).await?;
        Ok(Outcome::Commit(pushed))
    }
}

/// What the accepted pushes of a transaction need, apart from the journal.
#[derive(Default)]
struct Rows<'a> {
    /// The keys of their notifications.
    notifications: HashSet<i64>,
    /// Their recipients.
    users: HashSet<&'a str>,
    /// New notifications that expire, and when.
    expiring: Vec<(i64, i64)>,
    /// Idempotency keys by sender and key, with the request, the answer and the time.
    answers: BTreeMap<(String, String), (String, String, i64)>,
}

impl Rows<'_> {
    /// Deletes what only rejected pushes have created.
    async fn remove_unused(
        &self,
        transaction: &mut Transaction<'_>,
        created: &[String],
        inserted: impl Iterator<Item = i64>,
    ) -> Result<(), Failure> {
        let users: Vec<&str> =
            created.iter().map(String::as_str).filter(|user| !self.users.contains(user)).collect();
        let keys: Vec<i64> = inserted.filter(|key| !self.notifications.contains(key)).collect();
        if users.is_empty() && keys.is_empty() {
            return Ok(());
        }
        let sql = "WITH unused AS (DELETE FROM notifications WHERE key = ANY($1))
                   DELETE FROM inboxes WHERE user_id = ANY($2)";
        sqlx::query(sql).bind(keys).bind(users).execute(&mut *transaction.connection).await?;
        Ok(())
    }

    async fn expire(&self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        if self.expiring.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO withdrawals (notification, due_at, reason)
                   SELECT notification, due_at, 'expired' FROM unnest($1::bigint[], $2::bigint[]) w (notification, due_at)";
        let (keys, due): (Vec<i64>, Vec<i64>) = self.expiring.iter().copied().unzip();
        sqlx::query(sql).bind(keys).bind(due).execute(&mut *transaction.connection).await?;
        Ok(())
    }

    /// Stores the answers with their idempotency keys.
    ///
    /// Waits for a concurrent request with the same key. If that is stored, this transaction fails,
    /// and its retry finds the answer.
    async fn store_answers(&self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        if self.answers.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO idempotency (sender, key, request, answer, at)
                   SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS a (sender, key, request, answer, at)
                   ORDER BY sender COLLATE \"C\", key COLLATE \"C\" ON CONFLICT (sender, key) DO NOTHING";
        let keys = || self.answers.keys();
        let stored = sqlx::query(sql)
            .bind(keys().map(|(sender, _)| sender.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|(_, key)| key.as_str()).collect::<Vec<_>>())
            .bind(self.answers.values().map(|(request, ..)| request.as_str()).collect::<Vec<_>>())
            .bind(self.answers.values().map(|(_, answer, _)| answer.as_str()).collect::<Vec<_>>())
            .bind(self.answers.values().map(|(.., at)| *at).collect::<Vec<_>>())
            .execute(&mut *transaction.connection)
            .await?;
        match stored.rows_affected() == self.answers.len() as u64 {
            true => Ok(()),
            false => Err(Failure::came_between()),
        }
    }
}

fn is_answered(push: &NewPush, answers: &Answers) -> bool {
    push.caller_key().is_some_and(|caller_key| answers.contains_key(&caller_key))
}

fn is_free(push: &NewPush, inboxes: &BTreeMap<UserId, Inbox>) -> bool {
    push.user_ids.iter().all(|user| inboxes.contains_key(user))
}

/// Returns the requests and answers of those idempotency keys that were used before.
async fn stored_answers(
    transaction: &mut Transaction<'_>,
    pushes: &[Arc<NewPush>],
) -> Result<Answers, Failure> {
    let keys: HashSet<_> = pushes.iter().filter_map(|push| push.caller_key()).collect();
    if keys.is_empty() {
        return Ok(Answers::new());
    }
    let (senders, keys): (Vec<String>, Vec<String>) = keys.into_iter().unzip();
    let sql = "SELECT i.sender, i.key, i.request, i.answer FROM unnest($1::text[], $2::text[]) AS k (sender, key)
               CROSS JOIN LATERAL (SELECT * FROM idempotency i WHERE i.sender = k.sender AND i.key = k.key LIMIT 1) i";
    let query = sqlx::query_as(sql).bind(senders).bind(keys);
    let rows: Vec<(String, String, String, String)> = query.fetch_all(&mut *transaction.connection).await?;
    rows.into_iter()
        .map(|(sender, key, request, answer)| Ok(((sender, key), (request, serde_json::from_str(&answer)?))))
        .collect()
}

/// Stores the notifications whose ids are free, and returns their keys and pushes by id.
///
/// Waits for concurrent pushes of the same ids. Of several pushes of one id, the first is stored.
async fn insert<'a>(
    transaction: &mut Transaction<'_>,
    pushes: &[&'a NewPush],
) -> Result<HashMap<&'a str, (i64, &'a NewPush)>, Failure> {
    let mut new: BTreeMap<&'a str, &'a NewPush> = BTreeMap::new();
    for push in pushes.iter().filter(|push| !push.has_expired()) {
        new.entry(push.id.as_str()).or_insert(push);
    }
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "INSERT INTO notifications (id, sender, digest, body, created_at)
               SELECT id, sender, decode(digest, 'hex'), body, created_at
               FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS n (id, sender, digest, body, created_at)
               ORDER BY id COLLATE \"C\" ON CONFLICT (id) DO NOTHING RETURNING id, key";
    let query = sqlx::query_as(sql)
        .bind(new.keys().copied().collect::<Vec<_>>())
        .bind(new.values().map(|push| push.sender.as_str()).collect::<Vec<_>>())
        .bind(new.values().map(|push| push.digest.as_str()).collect::<Vec<_>>())
        .bind(new.values().map(|push| push.body.as_str()).collect::<Vec<_>>())
        .bind(new.values().map(|push| push.at.as_millisecond()).collect::<Vec<_>>());
    let rows: Vec<(String, i64)> = query.fetch_all(&mut *transaction.connection).await?;
    let with_push = |(id, key): (String, i64)| {
        let (id, push) = new.remove_entry(id.as_str())?;
        Some((id, (key, push)))
    };
    Ok(rows.into_iter().filter_map(with_push).collect())
}

/// Locks the stored notifications with these ids, so that they are neither retracted nor forgotten
/// until the transaction ends.
async fn lock(
    transaction: &mut Transaction<'_>,
    pushes: &[&NewPush],
) -> Result<HashMap<NotificationId, StoredNotification>, Failure> {
    if pushes.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: BTreeSet<&str> = pushes.iter().map(|push| push.id.as_str()).collect();
    let sql = "SELECT id, key, sender, encode(digest, 'hex'), withdrawn FROM notifications WHERE id = ANY($1)
               ORDER BY id FOR SHARE";
    let query = sqlx::query_as(sql).bind(ids.into_iter().collect::<Vec<_>>());
    let rows: Vec<(String, i64, String, String, bool)> =
        query.fetch_all(&mut *transaction.connection).await?;
    rows.into_iter()
        .map(|(id, key, sender, digest, withdrawn)| {
            Ok((NotificationId::new(id)?, StoredNotification { key, sender, digest, withdrawn }))
        })
        .collect()
}

/// Returns the stored notifications of these pushes with each of their users who has the
/// notification, had it, or is scheduled to receive it.
async fn recipients(
    transaction: &mut Transaction<'_>,
    pushes: &[&NewPush],
    stored: &HashMap<NotificationId, StoredNotification>,
    inboxes: &BTreeMap<UserId, Inbox>,
) -> Result<HashSet<(i64, UserId)>, Failure> {
    let pairs: BTreeSet<(i64, &UserId)> = pushes
        .iter()
        .filter_map(|push| Some((push, stored.get(&push.id)?.key)))
        .flat_map(|(push, key)| push.user_ids.iter().map(move |user| (key, user)))
        .collect();
    let (mut notifications, mut keys, mut users) = (Vec::new(), Vec::new(), Vec::new());
    for (notification, user) in pairs {
        let Some(inbox) = inboxes.get(user) else { continue };
        notifications.push(notification);
        keys.push(inbox.key);
        users.push(user.as_str());
    }
    if notifications.is_empty() {
        return Ok(HashSet::new());
    }
    // The limits keep the planner from reading whole tables instead of each pair.
    let sql = "WITH pairs AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS p (notification, inbox, user_id))
               SELECT p.notification, p.user_id FROM pairs p
               CROSS JOIN LATERAL (SELECT FROM deliveries d WHERE d.notification = p.notification AND d.inbox = p.inbox LIMIT 1) d
               UNION ALL SELECT p.notification, p.user_id FROM pairs p
               CROSS JOIN LATERAL (SELECT FROM scheduled s WHERE s.notification = p.notification AND s.user_id = p.user_id LIMIT 1) s";
    let query = sqlx::query_as(sql).bind(notifications).bind(keys).bind(users);
    let rows: Vec<(i64, String)> = query.fetch_all(&mut *transaction.connection).await?;
    rows.into_iter().map(|(notification, user)| Ok((notification, UserId::new(user)?))).collect()
}
