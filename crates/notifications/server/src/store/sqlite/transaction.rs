use std::collections::BTreeMap;

use internal_notifications_models::{Head, Position, UserId};
use sqlx::SqliteConnection;

use super::failure::Failure;
use super::row::head;
use crate::store::journal::{Inbox, Journal, Tags};

/// A transaction of the writer.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a mut SqliteConnection,
    pub(super) keys: &'a mut Keys,
    pub(super) journal: Journal<'a>,
    touched: Vec<UserId>,
}

/// The keys given last. A gap does no harm, so one that a rolled back transaction took is not given again.
pub(super) struct Keys {
    pub(super) inbox: i64,
    pub(super) notification: i64,
}

impl Keys {
    pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Self, Failure> {
        let sql = "SELECT coalesce((SELECT max(key) FROM inboxes), 0), coalesce((SELECT max(key) FROM notifications), 0)";
        let (inbox, notification) = sqlx::query_as(sql).fetch_one(connection).await?;
        Ok(Self { inbox, notification })
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(connection: &'a mut SqliteConnection, keys: &'a mut Keys, tags: &'a Tags) -> Self {
        Self { connection, keys, journal: Journal::new(tags), touched: Vec::new() }
    }

    /// The inboxes of these users. One that has no row yet gets it with its first change.
    pub(super) async fn inboxes(
        &mut self,
        users: impl Iterator<Item = &UserId>,
    ) -> Result<BTreeMap<UserId, Inbox>, Failure> {
        let users: BTreeMap<&UserId, ()> = users.map(|user| (user, ())).collect();
        let asked = serde_json::to_string(&users.keys().collect::<Vec<_>>())?;
        let sql = "SELECT user_id, i.key, seq, tag, pending FROM json_each(?1) CROSS JOIN inboxes i ON user_id = value";
        let rows: Vec<(String, i64, i64, i64, i64)> =
            sqlx::query_as(sql).bind(asked).fetch_all(&mut *self.connection).await?;
        let mut inboxes = BTreeMap::new();
        for (user, key, seq, tag, pending) in rows {
            inboxes.insert(UserId::new(user)?, Inbox::new(key, head(seq, tag, pending)));
        }
        for user in users.into_keys() {
            if !inboxes.contains_key(user) {
                self.keys.inbox += 1;
                inboxes.insert(user.clone(), Inbox::new(self.keys.inbox, Head::default()));
            }
        }
        Ok(inboxes)
    }

    /// Writes what the journal holds, and the inboxes that it is of.
    pub(super) async fn flush(&mut self, inboxes: BTreeMap<UserId, Inbox>) -> Result<(), Failure> {
        let scheduled = std::mem::take(&mut self.journal.scheduled);
        if !scheduled.is_empty() {
            let sql = "INSERT INTO scheduled (notification, user_id, due_at)
                       SELECT value ->> 'notification', value ->> 'user_id', value ->> 'due_at' FROM json_each(?1)";
            self.execute(sql, serde_json::to_string(&scheduled)?).await?;
        }
        let changes = std::mem::take(&mut self.journal.changes);
        if changes.is_empty() {
            return Ok(());
        }
        let mut heads = Vec::new();
        for (user, inbox) in inboxes.iter().filter(|(_, inbox)| inbox.has_changed()) {
            let Position { seq, tag: Some(tag) } = inbox.head.position else { continue };
            let (tag, pending) = (tag.bits().cast_signed(), inbox.head.pending);
            heads.push((inbox.key, user, seq, tag, pending, inbox.before));
        }
        let heads = serde_json::to_string(&heads)?;
        self.execute(
            "INSERT INTO inboxes (key, user_id, seq, tag, pending)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1) WHERE true
             ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, tag = excluded.tag, pending = excluded.pending",
            heads.clone(),
        )
        .await?;
        self.execute(
            "INSERT INTO publications (inbox, published) SELECT value ->> 0, value ->> 5 FROM json_each(?1) WHERE true
             ON CONFLICT (inbox) DO NOTHING",
            heads,
        )
        .await?;
        let adds = changes.iter().any(|change| change.added.is_some());
        let changes = serde_json::to_string(&changes)?;
        if adds {
            self.execute(
                "INSERT INTO deliveries (inbox, added, notification, created_at)
                 SELECT value ->> 'inbox', value ->> 'seq', value ->> 'added', value ->> 'at' FROM json_each(?1)
                 WHERE value ->> 'added' IS NOT NULL",
                changes.clone(),
            )
            .await?;
        }
        self.execute(
            "INSERT INTO changes (inbox, seq, tag, prev, pending, at, detail, op)
             SELECT value ->> 'inbox', value ->> 'seq', value ->> 'tag', value ->> 'prev', value ->> 'pending',
                    value ->> 'at', value ->> 'detail', value ->> 'op' FROM json_each(?1)",
            changes,
        )
        .await?;
        let changed = inboxes.into_iter().filter(|(_, inbox)| inbox.has_changed());
        self.touched.extend(changed.map(|(user, _)| user));
        Ok(())
    }

    /// Executes a statement over one JSON text.
    pub(super) async fn execute(&mut self, sql: &'static str, json: String) -> Result<(), Failure> {
        sqlx::query(sql).bind(json).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// The users whose inboxes have changed.
    pub(super) fn into_touched(self) -> Vec<UserId> {
        self.touched
    }
}
