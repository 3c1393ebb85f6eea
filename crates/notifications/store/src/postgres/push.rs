use std::collections::HashSet;

use internal_notifications_models::{Receipt, UserId};

use super::transaction::Transaction;
use super::work::{Ended, Writing};
use crate::StoreError;
use crate::rules::push::{NewPush, StoredNotification};
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;

impl Writing for NewPush {
    type Answer = Receipt;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<Receipt>, Failure> {
        if let Some(answered) = take_key(transaction, self).await? {
            return Ok(Ended::Rollback(answered));
        }
        let users: Vec<&str> = self.user_ids.iter().map(UserId::as_str).collect();
        let mut inboxes = transaction.make_inboxes(&users).await?;
        let (notification, mut had) = match insert(transaction, self).await? {
            Some(notification) => {
                if let Err(refused) = self.check_new() {
                    return Ok(Ended::Rollback(Err(refused)));
                }
                expire(transaction, self, notification.key).await?;
                (notification, HashSet::new())
            }
            None => {
                let known = lock(transaction, self).await?;
                if let Err(refused) = self.check_known(&known) {
                    return Ok(Ended::Rollback(Err(refused)));
                }
                let had = had(transaction, known.key, inboxes.values(), &users).await?;
                (known, had)
            }
        };
        let receipt = self.deliver(&notification, &mut inboxes, &mut had, &mut transaction.journal);
        keep_answer(transaction, self, &receipt).await?;
        transaction.flush(inboxes).await?;
        Ok(Ended::Commit(receipt))
    }
}

/// Takes the idempotency key for this request; or gives what it was answered before. Another request with it that is on its way is waited
/// for.
async fn take_key(
    transaction: &mut Transaction<'_>,
    push: &NewPush,
) -> Result<Option<Result<Receipt, StoreError>>, Failure> {
    let Some(key) = &push.idempotency_key else { return Ok(None) };
    let sql = "INSERT INTO idempotency (sender, key, request, answer, at) VALUES ($1, $2, $3, '', $4)
               ON CONFLICT (sender, key) DO NOTHING";
    let query = sqlx::query(sql).bind(&push.sender).bind(&key.key).bind(&key.request);
    let taken = query.bind(push.at.as_millisecond()).execute(&mut *transaction.connection).await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let sql = "SELECT request, answer FROM idempotency WHERE sender = $1 AND key = $2";
    let query = sqlx::query_as(sql).bind(&push.sender).bind(&key.key);
    let row: Option<(String, String)> = query.fetch_optional(&mut *transaction.connection).await?;
    // One that was forgotten meanwhile can be taken now.
    let (request, answer) =
        row.ok_or_else(|| Failure::unavailable("other transactions came between").transient(true))?;
    Ok(Some(key.answer(&request, serde_json::from_str(&answer)?)))
}

async fn keep_answer(
    transaction: &mut Transaction<'_>,
    push: &NewPush,
    receipt: &Receipt,
) -> Result<(), Failure> {
    let Some(key) = &push.idempotency_key else { return Ok(()) };
    let sql = "UPDATE idempotency SET answer = $3 WHERE sender = $1 AND key = $2";
    let query = sqlx::query(sql).bind(&push.sender).bind(&key.key).bind(serde_json::to_string(receipt)?);
    query.execute(&mut *transaction.connection).await?;
    Ok(())
}

/// Stores the notification, unless its id is taken. One that is on its way is waited for.
async fn insert(
    transaction: &mut Transaction<'_>,
    push: &NewPush,
) -> Result<Option<StoredNotification>, Failure> {
    let sql = "INSERT INTO notifications (id, sender, digest, body, created_at)
               VALUES ($1, $2, decode($3, 'hex'), $4, $5) ON CONFLICT (id) DO NOTHING RETURNING key";
    let query = sqlx::query_scalar(sql).bind(push.id.as_str()).bind(&push.sender).bind(&push.digest);
    let query = query.bind(&push.body).bind(push.at.as_millisecond());
    let key: Option<i64> = query.fetch_optional(&mut *transaction.connection).await?;
    Ok(key.map(|key| StoredNotification {
        key,
        sender: push.sender.clone(),
        digest: push.digest.clone(),
        withdrawn: false,
    }))
}

/// The stored notification of the id, which nobody retracts or forgets until the transaction ends.
async fn lock(transaction: &mut Transaction<'_>, push: &NewPush) -> Result<StoredNotification, Failure> {
    let sql =
        "SELECT key, sender, encode(digest, 'hex'), withdrawn FROM notifications WHERE id = $1 FOR SHARE";
    let query = sqlx::query_as(sql).bind(push.id.as_str());
    let row: Option<(i64, String, String, bool)> = query.fetch_optional(&mut *transaction.connection).await?;
    let (key, sender, digest, withdrawn) =
        row.ok_or_else(|| Failure::unavailable("other transactions came between").transient(true))?;
    Ok(StoredNotification { key, sender, digest, withdrawn })
}

async fn expire(transaction: &mut Transaction<'_>, push: &NewPush, notification: i64) -> Result<(), Failure> {
    let Some(expires_at) = push.expires_at else { return Ok(()) };
    let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES ($1, $2, 'expired')";
    let query = sqlx::query(sql).bind(notification).bind(expires_at.as_millisecond());
    query.execute(&mut *transaction.connection).await?;
    Ok(())
}

/// Those of the users who have the notification, had it, or are to get it.
async fn had(
    transaction: &mut Transaction<'_>,
    notification: i64,
    inboxes: impl Iterator<Item = &Inbox>,
    users: &[&str],
) -> Result<HashSet<(i64, UserId)>, Failure> {
    let sql = "SELECT i.user_id FROM deliveries d JOIN inboxes i ON i.key = d.inbox
               WHERE d.notification = $1 AND d.inbox = ANY($2)
               UNION ALL SELECT user_id FROM scheduled WHERE notification = $1 AND user_id = ANY($3)";
    let keys: Vec<i64> = inboxes.map(|inbox| inbox.key).collect();
    let query = sqlx::query_scalar(sql).bind(notification).bind(keys).bind(users);
    let users: Vec<String> = query.fetch_all(&mut *transaction.connection).await?;
    users.into_iter().map(|user| Ok((notification, UserId::new(user)?))).collect()
}
