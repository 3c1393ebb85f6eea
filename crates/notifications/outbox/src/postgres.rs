//! The table of intents in PostgreSQL 13 or later.
//!
//! Its name has no schema, so PostgreSQL looks for it along the `search_path` of the connection.

use sqlx::PgConnection;

use crate::connection::sealed::{Connection, Intent};

/// SQL statements that create the table and its index where they are missing, for migrations. They
/// may be executed again.
pub const CREATE_TABLE: &str = include_str!("../sql/postgres.sql");

/// The channel that a committed push notifies. A listening server then looks at the table at once.
pub const CHANNEL: &str = "internal_notifications_intents";

/// Serializes the creation of the table, since PostgreSQL fails one of two concurrent attempts. The
/// number is arbitrary.
const LOCK: &str = "SELECT pg_advisory_xact_lock(5352094786451827)";

/// Inserts a row and notifies the channel.
///
/// A UUIDv7 (RFC 9562) is 48 bits of time, 4 bits of version, and random bits. Setting bits 52 and
/// 53 of a random UUID changes its version from 4 to 7.
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
        // Statements sent together are one transaction.
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{LOCK};\n{CREATE_TABLE}"))).execute(self).await?;
        Ok(())
    }
}
