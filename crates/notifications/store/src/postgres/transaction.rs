use std::collections::BTreeMap;

use internal_notifications_models::{Position, UserId};
use sqlx::PgConnection;

use crate::rules::hooks::MakeTag;
use crate::sql::failure::Failure;
use crate::sql::journal::{ChangeRow, Inbox, Journal};
use crate::sql::row::{self, head};

/// A transaction that changes inboxes.
///
/// To avoid deadlocks, every transaction takes its locks in this order: inboxes by user,
/// notifications by id, their scheduled rows and withdrawals, publications by user, idempotency
/// keys by sender and key, notes about orphans.
///
/// There are two exceptions. A delivery shares notifications before it locks inboxes, which is
/// harmless: whoever locks a notification exclusively waits for no inbox while it has it. A
/// withdrawal deletes scheduled rows before it locks inboxes: only withdrawals touch the scheduled
/// rows of a withdrawn notification.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) journal: Journal<'a>,
    changed: Vec<UserId>,
}

/// The heads of changed inboxes, one vector per column.
#[derive(Default)]
struct Heads {
    key: Vec<i64>,
    seq: Vec<i64>,
    tag: Vec<i64>,
    pending: Vec<i64>,
    before: Vec<i64>,
}

/// The statement that locks the inboxes for which a condition holds, in the order of their users.
/// Unless it waits for them, it leaves out those that another transaction has locked.
macro_rules! lock_inboxes {
    ($condition:literal, $waits:expr) => {
        match $waits {
            true => lock_inboxes!(@ $condition, ""),
            false => lock_inboxes!(@ $condition, " SKIP LOCKED"),
        }
    };
    (@ $condition:literal, $skip:literal) => {
        concat!(
            "SELECT key, user_id, seq, tag, pending FROM inboxes WHERE ",
            $condition,
            " ORDER BY user_id FOR UPDATE",
            $skip
        )
    };
}

type InboxRow = (i64, String, i64, Option<i64>, i64);

impl<'a> Transaction<'a> {
    pub(super) fn new(connection: &'a mut PgConnection, make_tag: &'a MakeTag) -> Self {
        Self { connection, journal: Journal::new(make_tag), changed: Vec::new() }
    }

    /// Locks the inboxes of these sorted users, and creates those that are missing. Unless it waits
    /// for them, it leaves out inboxes that another transaction has locked. Also returns the users
    /// whose inboxes it created.
    ///
    /// All rows are created before any is locked, so that two transactions wait in one direction.
    pub(super) async fn create_and_lock(
        &mut self,
        users: &[&str],
        waits: bool,
    ) -> Result<(BTreeMap<UserId, Inbox>, Vec<String>), Failure> {
        // Mostly, all exist.
        let sql = lock_inboxes!(
            "user_id = ANY($1) AND (SELECT count(*) FROM inboxes WHERE user_id = ANY($1)) = cardinality($1)",
            waits
        );
        let locked = self.lock(sql, users).await?;
        if !locked.is_empty() || users.is_empty() {
            return Ok((locked, Vec::new()));
        }
        let created = self.create_inboxes(users).await?;
        let locked = self.lock(lock_inboxes!("user_id = ANY($1)", waits), users).await?;
        Ok((locked, created))
    }

    /// Creates those inboxes of these sorted users that are missing, and returns their users.
    async fn create_inboxes(&mut self, users: &[&str]) -> Result<Vec<String>, Failure> {
        let sql = "INSERT INTO inboxes (user_id)
                   SELECT u FROM unnest($1::text[]) u WHERE (SELECT key FROM inboxes WHERE user_id = u) IS NULL
                   ORDER BY u COLLATE \"C\" ON CONFLICT (user_id) DO NOTHING RETURNING user_id";
        Ok(sqlx::query_scalar(sql).bind(users).fetch_all(&mut *self.connection).await?)
    }

    /// Locks those inboxes of these users that exist.
    pub(super) async fn lock_inboxes(&mut self, users: &[&str]) -> Result<BTreeMap<UserId, Inbox>, Failure> {
        self.lock(lock_inboxes!("user_id = ANY($1)", true), users).await
    }

    /// Locks the inboxes with these keys, in the order of their users. Unless it waits for them, it
    /// leaves out those that another transaction has locked.
    pub(super) async fn lock_keys(
        &mut self,
        keys: &[i64],
        waits: bool,
    ) -> Result<BTreeMap<UserId, Inbox>, Failure> {
        self.lock(lock_inboxes!("key = ANY($1)", waits), keys).await
    }

    async fn lock<'v, V>(&mut self, sql: &'static str, values: V) -> Result<BTreeMap<UserId, Inbox>, Failure>
    where
        V: sqlx::Encode<'v, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + 'v,
    {
        inboxes(sqlx::query_as(sql).bind(values).fetch_all(&mut *self.connection).await?)
    }

    /// Writes the rows of the journal and the heads of these inboxes.
    pub(super) async fn flush(&mut self, inboxes: BTreeMap<UserId, Inbox>) -> Result<(), Failure> {
        self.write_scheduled().await?;
        let changes = std::mem::take(&mut self.journal.changes);
        if changes.is_empty() {
            return Ok(());
        }
        let mut heads = Heads::default();
        for (user, inbox) in inboxes {
            let Position { seq, tag: Some(tag) } = inbox.head.position else { continue };
            if !inbox.has_changed() {
                continue;
            }
            heads.key.push(inbox.key);
            heads.seq.push(row::seq(seq));
            heads.tag.push(tag.bits().cast_signed());
            heads.pending.push(row::seq(inbox.head.pending));
            heads.before.push(row::seq(inbox.before));
            self.changed.push(user);
        }
        // One statement, since the inboxes stay locked during each round trip.
        let sql = "WITH heads AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
                                  AS h (key, seq, tag, pending, before)),
                   updated AS (UPDATE inboxes i SET seq = h.seq, tag = h.tag, pending = h.pending FROM heads h WHERE i.key = h.key),
                   behind AS (INSERT INTO publications (inbox, published, newest) SELECT key, before, seq FROM heads
                              ON CONFLICT (inbox) DO UPDATE SET newest = excluded.newest),
                   made AS (SELECT * FROM unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
                                                 $12::bigint[], $13::text[], $14::text[])
                            AS c (inbox, seq, tag, prev, pending, at, added, detail, op)),
                   delivered AS (INSERT INTO deliveries (inbox, added, notification, created_at)
                                 SELECT inbox, seq, added, at FROM made WHERE added IS NOT NULL)
                   INSERT INTO changes (inbox, seq, tag, prev, pending, at, detail, op)
                   SELECT inbox, seq, tag, prev, pending, at, detail, op FROM made";
        let column = |of: fn(&ChangeRow) -> i64| changes.iter().map(of).collect::<Vec<_>>();
        sqlx::query(sql)
            .bind(heads.key)
            .bind(heads.seq)
            .bind(heads.tag)
            .bind(heads.pending)
            .bind(heads.before)
            .bind(column(|change| change.inbox))
            .bind(column(|change| row::seq(change.seq)))
            .bind(column(|change| change.tag))
            .bind(changes.iter().map(|change| change.prev).collect::<Vec<_>>())
            .bind(column(|change| row::seq(change.pending)))
            .bind(column(|change| change.at))
            .bind(changes.iter().map(|change| change.added).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| change.detail.as_deref()).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| change.op.as_deref()).collect::<Vec<_>>())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn write_scheduled(&mut self) -> Result<(), Failure> {
        let scheduled = std::mem::take(&mut self.journal.scheduled);
        if scheduled.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO scheduled (notification, user_id, due_at)
                   SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])";
        sqlx::query(sql)
            .bind(scheduled.iter().map(|row| row.notification).collect::<Vec<_>>())
            .bind(scheduled.iter().map(|row| row.user_id.as_str()).collect::<Vec<_>>())
            .bind(scheduled.iter().map(|row| row.due_at).collect::<Vec<_>>())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Returns the users whose inboxes have changed.
    pub(super) fn into_changed(self) -> Vec<UserId> {
        self.changed
    }
}

fn inboxes(rows: Vec<InboxRow>) -> Result<BTreeMap<UserId, Inbox>, Failure> {
    rows.into_iter()
        .map(|(key, user, seq, tag, pending)| {
            Ok((UserId::new(user)?, Inbox::new(key, head(seq, tag, pending))))
        })
        .collect()
}
