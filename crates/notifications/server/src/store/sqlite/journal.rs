use std::collections::BTreeMap;

use internal_notifications_models::{Head, Position, Tag, UserId};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::failure::Failure;
use super::row::head;

/// A transaction of the writer: what it changes in inboxes, written in few statements whatever the number of changes.
pub(super) struct Journal<'a> {
    pub(super) connection: &'a mut SqliteConnection,
    pub(super) keys: &'a mut Keys,
    tags: &'a (dyn Fn() -> Tag + Send + Sync),
    rows: Vec<ChangeRow>,
    touched: Vec<UserId>,
}

/// The keys given last. A gap does no harm, so one that a rolled back transaction took is not given again.
pub(super) struct Keys {
    pub(super) inbox: i64,
    pub(super) notification: i64,
}

/// An inbox as the transaction has made it so far.
pub(super) struct Inbox {
    pub(super) key: i64,
    pub(super) head: Head,
    /// The newest change before this transaction: up to there it is published, unless it has a publication row.
    before: u64,
}

/// What a change is, besides where it stands.
pub(super) enum Made {
    /// This notification was added.
    Added(i64),
    /// Anything else, as on the wire.
    Other { detail: String, op: Option<String> },
}

#[derive(Serialize)]
struct ChangeRow {
    inbox: i64,
    seq: u64,
    tag: i64,
    prev: Option<i64>,
    pending: u64,
    at: i64,
    added: Option<i64>,
    detail: Option<String>,
    op: Option<String>,
}

impl Keys {
    pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Self, Failure> {
        let sql = "SELECT coalesce((SELECT max(key) FROM inboxes), 0), coalesce((SELECT max(key) FROM notifications), 0)";
        let (inbox, notification) = sqlx::query_as(sql).fetch_one(connection).await?;
        Ok(Self { inbox, notification })
    }
}

impl<'a> Journal<'a> {
    pub(super) fn new(
        connection: &'a mut SqliteConnection,
        keys: &'a mut Keys,
        tags: &'a (dyn Fn() -> Tag + Send + Sync),
    ) -> Self {
        Self { connection, keys, tags, rows: Vec::new(), touched: Vec::new() }
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
            let head = head(seq, tag, pending);
            inboxes.insert(UserId::new(user)?, Inbox { key, head, before: head.position.seq });
        }
        for user in users.into_keys() {
            if !inboxes.contains_key(user) {
                self.keys.inbox += 1;
                let new = Inbox { key: self.keys.inbox, head: Head::default(), before: 0 };
                inboxes.insert(user.clone(), new);
            }
        }
        Ok(inboxes)
    }

    /// Makes the next change of an inbox. Its head must already hold the pending count after it.
    pub(super) fn record(&mut self, inbox: &mut Inbox, at: i64, made: Made) -> u64 {
        let (tag, prev) = ((self.tags)(), inbox.head.position.tag);
        let seq = inbox.head.position.seq + 1;
        inbox.head.position = Position { seq, tag: Some(tag) };
        let (added, detail, op) = match made {
            Made::Added(notification) => (Some(notification), None, None),
            Made::Other { detail, op } => (None, Some(detail), op),
        };
        self.rows.push(ChangeRow {
            inbox: inbox.key,
            seq,
            tag: tag.bits().cast_signed(),
            prev: prev.map(|tag| tag.bits().cast_signed()),
            pending: inbox.head.pending,
            at,
            added,
            detail,
            op,
        });
        seq
    }

    /// Writes the recorded changes, and the inboxes that they are of.
    pub(super) async fn flush(&mut self, inboxes: BTreeMap<UserId, Inbox>) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let mut heads = Vec::new();
        for (user, inbox) in &inboxes {
            let Position { seq, tag: Some(tag) } = inbox.head.position else { continue };
            if seq > inbox.before {
                heads.push((
                    inbox.key,
                    user,
                    seq,
                    tag.bits().cast_signed(),
                    inbox.head.pending,
                    inbox.before,
                ));
            }
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
        let adds = rows.iter().any(|row| row.added.is_some());
        let rows = serde_json::to_string(&rows)?;
        if adds {
            self.execute(
                "INSERT INTO deliveries (inbox, added, notification, created_at)
                 SELECT value ->> 'inbox', value ->> 'seq', value ->> 'added', value ->> 'at' FROM json_each(?1)
                 WHERE value ->> 'added' IS NOT NULL",
                rows.clone(),
            )
            .await?;
        }
        self.execute(
            "INSERT INTO changes (inbox, seq, tag, prev, pending, at, detail, op)
             SELECT value ->> 'inbox', value ->> 'seq', value ->> 'tag', value ->> 'prev', value ->> 'pending',
                    value ->> 'at', value ->> 'detail', value ->> 'op' FROM json_each(?1)",
            rows,
        )
        .await?;
        let changed = inboxes.into_iter().filter(|(_, inbox)| inbox.head.position.seq > inbox.before);
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
