//! The table in PostgreSQL, 13 or later. Its name is without a schema: it is looked for along the connection's `search_path`.

use sqlx::PgConnection;

use crate::connection::sealed::{Connection, Intent};

/// What makes the table, for the app's own migrations. Does nothing where it is.
pub const CREATE_TABLE: &str = include_str!("../sql/postgres.sql");

/// The channel that a push notifies, once it is committed.
pub const CHANNEL: &str = "internal_notifications_intents";

/// Takes its turn: two that made the table at once would err (the number is this table's alone).
const TURN: &str = "SELECT pg_advisory_xact_lock(5352094786451827)";

/// One statement. A UUIDv7 (RFC 9562) is 48 bits of time, the version's nibble, and random bits; a random UUID is 4, and bits 52 and 53 make
/// that 7.
const INSERT: &str = "WITH row AS (
    INSERT INTO internal_notifications_intents (id, sender, user_ids, body)
    VALUES (
        COALESCE($1, encode(set_bit(set_bit(
            overlay(
                uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6
            ), 52, 1), 53, 1), 'hex')::uuid::text),
        $2, $3, $4
    )
    RETURNING id
) SELECT id, pg_notify('internal_notifications_intents', '') FROM row";

impl Connection for PgConnection {
    async fn insert(&mut self, intent: Intent<'_>) -> Result<String, sqlx::Error> {
        let Intent { id, sender, user_ids, body } = intent;
        let row = sqlx::query_as::<_, (String,)>(INSERT);
        let (id,) = row.bind(id).bind(sender).bind(user_ids).bind(body).fetch_one(self).await?;
        Ok(id)
    }

    async fn create_table(&mut self) -> Result<(), sqlx::Error> {
        // Several statements at once are one transaction.
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{TURN};\n{CREATE_TABLE}"))).execute(self).await?;
        Ok(())
    }
}
