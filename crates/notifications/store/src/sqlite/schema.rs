use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

use crate::sql::failure::Failure;

/// Brings the schema up to date; refuses one that is newer than this version knows.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), Failure> {
    // Not `run`, whose bound `Acquire` keeps every future that awaits it from being shown to be `Send`.
    migrator().run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(version) => Failure::unusable(format!(
            "its schema (version {version}) is newer than this program knows; use a newer program"
        )),
        other => Failure::unusable(other.to_string()),
    })
}

fn migrator() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        let description = Cow::Borrowed(description);
        Migration::new(version, description, MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        migration(1, "inboxes", include_str!("../../migrations/sqlite/0001_inboxes.sql")),
        migration(2, "schedule", include_str!("../../migrations/sqlite/0002_schedule.sql")),
    ])
}
