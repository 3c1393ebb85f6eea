use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr};

use crate::sql::failure::Failure;

/// The key of the lock that serializes servers that start at the same time.
const LOCK: i64 = 0x696e_626f_785f_6462;

/// Creates the schema if it is missing, migrates its tables to the current version, and rejects
/// newer ones.
pub(super) async fn migrate(connection: &mut PgConnection, schema: &str) -> Result<(), Failure> {
    create(connection, schema).await?;
    // With `run`, the compiler cannot prove that futures awaiting it are `Send`.
    migrator().run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(version) => Failure::unusable(format!(
            "the schema of the database (version {version}) is newer than this program; use a newer program"
        )),
        other => Failure::unusable(other.to_string()),
    })
}

async fn create(connection: &mut PgConnection, schema: &str) -> Result<(), Failure> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let sql = "SELECT quote_ident($1), EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";
    let (quoted, exists): (String, bool) =
        sqlx::query_as(sql).bind(schema).fetch_one(&mut *transaction).await?;
    if !exists {
        // PostgreSQL itself has quoted the name.
        let sql = AssertSqlSafe(format!("CREATE SCHEMA {quoted}"));
        sqlx::query(sql).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn migrator() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        let description = Cow::Borrowed(description);
        Migration::new(version, description, MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "inboxes", include_str!("../../migrations/postgres/0001_inboxes.sql")),
        migration(2, "schedule", include_str!("../../migrations/postgres/0002_schedule.sql")),
        migration(3, "sweep", include_str!("../../migrations/postgres/0003_sweep.sql")),
        migration(4, "publications", include_str!("../../migrations/postgres/0004_publications.sql")),
    ])
}

/// Returns whether PostgreSQL syncs commits to disk.
pub(super) async fn is_synced(connection: &mut PgConnection) -> Result<bool, Failure> {
    let fsync: String = sqlx::query_scalar("SELECT current_setting('fsync')").fetch_one(connection).await?;
    Ok(fsync == "on")
}
