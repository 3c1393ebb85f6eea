use std::collections::{HashMap, HashSet};

use internal_notifications_models::{NotificationId, Receipt, UserId};

use super::insert::Insert;
use super::transaction::Transaction;
use crate::StoreError;
use crate::rules::push::{NewPush, StoredNotification};
use crate::sql::failure::Failure;

/// Executes pushes in order, with a number of statements that is independent of theirs, and returns
/// the answer of each.
pub(super) async fn run(
    transaction: &mut Transaction<'_>,
    pushes: &[&NewPush],
) -> Result<Vec<Result<Receipt, StoreError>>, Failure> {
    let mut answered = answered(transaction, pushes).await?;
    let mut inboxes = transaction.inboxes(pushes.iter().flat_map(|push| &push.user_ids)).await?;
    let mut stored = stored(transaction, pushes.iter().map(|push| &push.id)).await?;
    let mut pairs = HashSet::new();
    for push in pushes {
        if let Some(stored) = stored.get(&push.id) {
            pairs.extend(push.user_ids.iter().map(|user| (stored.key, user.clone())));
        }
    }
    let mut recipients = recipients(transaction, pairs).await?;
    let (mut new, mut expiring, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    let mut replies = Vec::with_capacity(pushes.len());
    for push in pushes {
        let key = push.idempotency_key.as_ref().zip(push.caller_key());
        if let Some((key, (request, receipt))) =
            key.as_ref().and_then(|(key, caller_key)| Some((key, answered.get(caller_key)?)))
        {
            replies.push(key.answer(request, receipt.clone()));
            continue;
        }
        let checked = match stored.get(&push.id) {
            Some(stored) => push.check_stored(stored),
            None => push.check_new(),
        };
        if let Err(rejected) = checked {
            replies.push(Err(rejected));
            continue;
        }
        let notification = stored.entry(push.id.clone()).or_insert_with(|| {
            transaction.keys.notification += 1;
            let key = transaction.keys.notification;
            new.push((key, *push));
            expiring.extend(push.expires_at.map(|expires_at| (key, expires_at.as_millisecond())));
            push.stored_as(key)
        });
        let receipt = push.deliver(notification, &mut inboxes, &mut recipients, &mut transaction.journal);
        if let Some((key, caller_key)) = key {
            let answer = serde_json::to_string(&receipt)?;
            answers.push((&push.sender, key, answer, push.at.as_millisecond()));
            answered.insert(caller_key, (key.request.clone(), receipt.clone()));
        }
        replies.push(Ok(receipt));
    }
    let into = "INSERT INTO notifications (key, id, sender, digest, body, created_at) ";
    let text = str::to_owned;
    Insert::new(into, "", new, |mut values, (key, push)| {
        values.push_bind(key).push_bind(text(push.id.as_str())).push_bind(text(&push.sender));
        values.push("unhex(").push_bind_unseparated(text(&push.digest)).push_unseparated(")");
        values.push_bind(text(&push.body)).push_bind(push.at.as_millisecond());
    })
    .execute(transaction.connection)
    .await?;
    let into = "INSERT INTO withdrawals (notification, due_at, reason) ";
    Insert::new(into, "", expiring, |mut values, (key, due_at)| {
        values.push_bind(key).push_bind(due_at).push_bind("expired");
    })
    .execute(transaction.connection)
    .await?;
    let into = "INSERT INTO idempotency (sender, key, request, answer, at) ";
    Insert::new(into, "", answers, |mut values, (sender, key, answer, at)| {
        values.push_bind(text(sender)).push_bind(text(&key.key)).push_bind(text(&key.request));
        values.push_bind(answer).push_bind(at);
    })
    .execute(transaction.connection)
    .await?;
    transaction.flush(inboxes).await?;
    Ok(replies)
}

/// Returns the requests and answers of those idempotency keys that were used before.
async fn answered(
    transaction: &mut Transaction<'_>,
    pushes: &[&NewPush],
) -> Result<HashMap<(String, String), (String, Receipt)>, Failure> {
    let keys: HashSet<_> = pushes.iter().filter_map(|push| push.caller_key()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT sender, i.key, request, answer FROM json_each(?1)
               CROSS JOIN idempotency i ON sender = value ->> 0 AND i.key = value ->> 1";
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(sql)
        .bind(serde_json::to_string(&keys)?)
        .fetch_all(&mut *transaction.connection)
        .await?;
    rows.into_iter()
        .map(|(sender, key, request, answer)| Ok(((sender, key), (request, serde_json::from_str(&answer)?))))
        .collect()
}

/// Returns the stored notifications with these ids.
async fn stored(
    transaction: &mut Transaction<'_>,
    ids: impl Iterator<Item = &NotificationId>,
) -> Result<HashMap<NotificationId, StoredNotification>, Failure> {
    let ids = serde_json::to_string(&ids.collect::<HashSet<_>>())?;
    let sql = "SELECT n.id, n.key, sender, lower(hex(digest)), withdrawn
               FROM json_each(?1) CROSS JOIN notifications n ON n.id = value";
    let rows: Vec<(String, i64, String, String, bool)> =
        sqlx::query_as(sql).bind(ids).fetch_all(&mut *transaction.connection).await?;
    rows.into_iter()
        .map(|(id, key, sender, digest, withdrawn)| {
            Ok((NotificationId::new(id)?, StoredNotification { key, sender, digest, withdrawn }))
        })
        .collect()
}

/// Returns the pairs whose user has the notification, had it, or is scheduled to receive it.
async fn recipients(
    transaction: &mut Transaction<'_>,
    pairs: HashSet<(i64, UserId)>,
) -> Result<HashSet<(i64, UserId)>, Failure> {
    if pairs.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "SELECT value ->> 0, value ->> 1 FROM json_each(?1)
               WHERE EXISTS (SELECT 1 FROM inboxes i CROSS JOIN deliveries d ON d.notification = value ->> 0 AND d.inbox = i.key
                             WHERE i.user_id = value ->> 1)
                  OR EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = value ->> 0 AND s.user_id = value ->> 1)";
    let rows: Vec<(i64, String)> = sqlx::query_as(sql)
        .bind(serde_json::to_string(&pairs)?)
        .fetch_all(&mut *transaction.connection)
        .await?;
    rows.into_iter().map(|(notification, user)| Ok((notification, UserId::new(user)?))).collect()
}
