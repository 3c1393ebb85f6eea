use std::time::Duration;

use sqlx::PgConnection;

use super::work::Reading;
use crate::sql::failure::Failure;

/// For how long after a step of a sweep the others leave it to the same server: longer than passes lie apart by default.
const TURN: Duration = Duration::from_secs(90);

/// Whether it is for this server to sweep; then it stays so for [`TURN`]. Several at once would look at the same inboxes.
pub(super) struct TakeTurn(pub(super) i64);

/// Leaves the sweep to others.
pub(super) struct EndTurn(pub(super) i64);

impl Reading for TakeTurn {
    type Answer = bool;

    async fn read(&self, connection: &mut PgConnection) -> Result<bool, Failure> {
        // The owner, and the second in which its turn ends.
        let sql = "INSERT INTO settings (name, value) VALUES ('sweeper', concat($1, ' ', extract(epoch FROM clock_timestamp()) + $2))
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value
                   WHERE split_part(settings.value, ' ', 1) = $1
                      OR split_part(settings.value, ' ', 2)::float8 <= extract(epoch FROM clock_timestamp())";
        let query = sqlx::query(sql).bind(self.0.to_string()).bind(TURN.as_secs_f64());
        Ok(query.execute(connection).await?.rows_affected() == 1)
    }
}

impl Reading for EndTurn {
    type Answer = ();

    async fn read(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let sql = "DELETE FROM settings WHERE name = 'sweeper' AND split_part(value, ' ', 1) = $1";
        sqlx::query(sql).bind(self.0.to_string()).execute(connection).await?;
        Ok(())
    }
}
