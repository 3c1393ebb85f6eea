use std::collections::BTreeMap;

use internal_notifications_models::{Head, Position, UserId};
use sqlx::SqliteConnection;

use super::insert::Insert;
use super::row::{self, head};
use crate::rules::hooks::MakeTag;
use crate::sql::failure::Failure;
use crate::sql::journal::{Inbox, Journal};

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
    pub(super) fn new(
        connection: &'a mut SqliteConnection,
        keys: &'a mut Keys,
        make_tag: &'a MakeTag,
    ) -> Self {
        Self { connection, keys, journal: Journal::new(make_tag), touched: Vec::new() }
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
        let into = "INSERT INTO scheduled (notification, user_id, due_at) ";
        Insert::new(into, "", scheduled, |mut values, row| {
            values
                .push_bind(row.notification)
                .push_bind(row.user_id.as_str().to_owned())
                .push_bind(row.due_at);
        })
        .execute(self.connection)
        .await?;
        let changes = std::mem::take(&mut self.journal.changes);
        if changes.is_empty() {
            return Ok(());
        }
        let changed: Vec<(UserId, Inbox)> =
            inboxes.into_iter().filter(|(_, inbox)| inbox.has_changed()).collect();
        let into = "INSERT INTO inboxes (key, user_id, seq, tag, pending) ";
        let known = " ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, tag = excluded.tag, pending = excluded.pending";
        Insert::new(into, known, &changed, |mut values, (user, inbox)| {
            let Position { seq, tag } = inbox.head.position;
            values.push_bind(inbox.key).push_bind(user.as_str().to_owned()).push_bind(row::seq(seq));
            values.push_bind(tag.map(|tag| tag.bits().cast_signed())).push_bind(row::seq(inbox.head.pending));
        })
        .execute(self.connection)
        .await?;
        let into = "INSERT INTO publications (inbox, published) ";
        Insert::new(into, " ON CONFLICT (inbox) DO NOTHING", &changed, |mut values, (_, inbox)| {
            values.push_bind(inbox.key).push_bind(row::seq(inbox.before));
        })
        .execute(self.connection)
        .await?;
        let added = changes.iter().filter_map(|change| Some((change, change.added?)));
        let into = "INSERT INTO deliveries (inbox, added, notification, created_at) ";
        Insert::new(into, "", added, |mut values, (change, added)| {
            values
                .push_bind(change.inbox)
                .push_bind(row::seq(change.seq))
                .push_bind(added)
                .push_bind(change.at);
        })
        .execute(self.connection)
        .await?;
        let into = "INSERT INTO changes (inbox, seq, tag, prev, pending, at, detail, op) ";
        Insert::new(into, "", changes, |mut values, change| {
            values
                .push_bind(change.inbox)
                .push_bind(row::seq(change.seq))
                .push_bind(change.tag)
                .push_bind(change.prev);
            values
                .push_bind(row::seq(change.pending))
                .push_bind(change.at)
                .push_bind(change.detail)
                .push_bind(change.op);
        })
        .execute(self.connection)
        .await?;
        self.touched.extend(changed.into_iter().map(|(user, _)| user));
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
