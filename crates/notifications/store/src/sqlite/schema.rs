use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

use crate::sql::failure::Failure;

/// Migrates the schema to the current version, and rejects a newer one.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), Failure> {
    // With `run`, the compiler cannot prove that futures awaiting it are `Send`.
    migrator().run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(version) => Failure::unusable(format!(
            "the schema of the database (version {version}) is newer than this program; use a newer program"
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
        migration(3, "due", include_str!("../../migrations/sqlite/0003_due.sql")),
        migration(4, "sweep", include_str!("../../migrations/sqlite/0004_sweep.sql")),
        migration(5, "publications", include_str!("../../migrations/sqlite/0005_publications.sql")),
    ])
}
