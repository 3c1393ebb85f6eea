use std::collections::{HashMap, HashSet};

use internal_notifications_models::{NotificationId, Receipt, UserId};

use super::command::{Command, Reply};
use super::digest;
use super::failure::Failure;
use super::journal::{Journal, Made};
use crate::store::{Push, StoreError, StoreErrorKind};

/// A push, made ready on its caller's time: the writer is one, callers are many.
pub(super) struct NewPush {
    sender: String,
    id: NotificationId,
    body: String,
    digest: String,
    /// Sorted.
    pub(super) user_ids: Vec<UserId>,
    at: i64,
}

impl NewPush {
    pub(super) fn new(push: Push) -> Result<Self, StoreError> {
        let Push { sender, id, notification, mut user_ids, at } = push;
        let (body, digest) = digest::body(notification)?;
        user_ids.sort_unstable();
        Ok(Self { sender, id, body, digest, user_ids, at: at.as_millisecond() })
    }
}

struct Known {
    key: i64,
    sender: String,
    digest: String,
}

impl Known {
    fn is(&self, push: &NewPush) -> bool {
        self.sender == push.sender && self.digest == push.digest
    }
}

/// Does consecutive pushes, in order, in a number of statements that does not depend on how many they are.
pub(super) async fn run(journal: &mut Journal<'_>, commands: &mut [Command]) -> Result<(), Failure> {
    let mut pushes: Vec<(&NewPush, &mut Reply<Receipt>)> = commands
        .iter_mut()
        .filter_map(|command| match command {
            Command::Push(push, reply) => Some((&*push, reply)),
            _ => None,
        })
        .collect();
    let mut inboxes = journal.inboxes(pushes.iter().flat_map(|(push, _)| &push.user_ids)).await?;
    let mut known = known(journal, pushes.iter().map(|(push, _)| &push.id)).await?;
    let mut pairs = Vec::new();
    for (push, _) in &pushes {
        if let Some(known) = known.get(&push.id).filter(|known| known.is(push)) {
            let keys = push.user_ids.iter().filter_map(|user| inboxes.get(user));
            pairs.extend(keys.map(|inbox| (known.key, inbox.key)));
        }
    }
    let mut delivered = delivered(journal, pairs).await?;
    let mut new = Vec::new();
    for (push, reply) in &mut pushes {
        let notification = match known.get(&push.id) {
            Some(known) if known.is(push) => known.key,
            Some(_) => {
                reply.set(Err(StoreError::new(StoreErrorKind::IdTaken)));
                continue;
            }
            None => {
                journal.keys.notification += 1;
                let key = journal.keys.notification;
                new.push((key, &push.id, &push.sender, &push.digest, &push.body, push.at));
                let (sender, digest) = (push.sender.clone(), push.digest.clone());
                known.insert(push.id.clone(), Known { key, sender, digest });
                key
            }
        };
        let mut receipt = Receipt { id: push.id.clone(), accepted: 0, duplicates: 0, scheduled: 0 };
        for user in &push.user_ids {
            let Some(inbox) = inboxes.get_mut(user) else { continue };
            if !delivered.insert((notification, inbox.key)) {
                receipt.duplicates += 1;
                continue;
            }
            inbox.head.pending += 1;
            journal.record(inbox, push.at, Made::Added(notification));
            receipt.accepted += 1;
        }
        reply.set(Ok(receipt));
    }
    if !new.is_empty() {
        let sql = "INSERT INTO notifications (key, id, sender, digest, body, created_at)
                   SELECT value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, value ->> 5 FROM json_each(?1)";
        journal.execute(sql, serde_json::to_string(&new)?).await?;
    }
    journal.flush(inboxes).await
}

/// The stored notifications of these ids.
async fn known(
    journal: &mut Journal<'_>,
    ids: impl Iterator<Item = &NotificationId>,
) -> Result<HashMap<NotificationId, Known>, Failure> {
    let ids = serde_json::to_string(&ids.collect::<HashSet<_>>())?;
    let sql = "SELECT n.id, n.key, sender, lower(hex(digest)) FROM json_each(?1) CROSS JOIN notifications n ON n.id = value";
    let rows: Vec<(String, i64, String, String)> =
        sqlx::query_as(sql).bind(ids).fetch_all(&mut *journal.connection).await?;
    rows.into_iter()
        .map(|(id, key, sender, digest)| Ok((NotificationId::new(id)?, Known { key, sender, digest })))
        .collect()
}

/// Those of the pairs (notification, inbox) that there are, removed ones too.
async fn delivered(
    journal: &mut Journal<'_>,
    pairs: Vec<(i64, i64)>,
) -> Result<HashSet<(i64, i64)>, Failure> {
    if pairs.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "SELECT notification, inbox FROM json_each(?1)
               CROSS JOIN deliveries ON notification = value ->> 0 AND inbox = value ->> 1";
    let rows: Vec<(i64, i64)> =
        sqlx::query_as(sql).bind(serde_json::to_string(&pairs)?).fetch_all(&mut *journal.connection).await?;
    Ok(rows.into_iter().collect())
}
