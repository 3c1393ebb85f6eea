//! The table of intents in SQLite 3.35 or later.

use sqlx::SqliteConnection;

use crate::connection::sealed::{Connection, Intent};

/// SQL statements that create the table and its index where they are missing, for migrations. They
/// may be executed again.
pub const CREATE_TABLE: &str = include_str!("../sql/sqlite.sql");

/// Inserts a row.
///
/// A UUIDv7 (RFC 9562) is 48 bits of time, 4 bits of version, 2 bits of variant, and random bits.
const INSERT: &str = "INSERT INTO internal_notifications_intents (id, sender, user_ids, body)
    SELECT
        COALESCE(?1, lower(printf(
            '%08x-%04x-7%s-%s%s-%s',
            ms >> 16, ms & 65535, substr(hex(randomblob(2)), 2),
            substr('89AB', 1 + (random() & 3), 1), substr(hex(randomblob(2)), 2), hex(randomblob(6))
        ))),
        ?2, ?3, ?4
    FROM (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS ms)
    RETURNING id";

impl Connection for SqliteConnection {
    async fn insert(&mut self, intent: Intent<'_>) -> Result<String, sqlx::Error> {
        let Intent { id, sender, user_ids, body } = intent;
        let row = sqlx::query_scalar::<_, String>(INSERT);
        row.bind(id).bind(sender).bind(user_ids).bind(body).fetch_one(self).await
    }

    async fn create_table(&mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(CREATE_TABLE).execute(self).await?;
        Ok(())
    }
}
