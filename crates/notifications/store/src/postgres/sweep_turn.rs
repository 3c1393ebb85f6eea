use std::time::Duration;

use sqlx::PgConnection;

use super::database::Query;
use crate::sql::failure::Failure;

/// How long a turn lasts after each step of a sweep. It is longer than the default pause between
/// passes.
const TURN: Duration = Duration::from_secs(90);

/// Takes or extends the turn to sweep, and returns whether this server has it.
///
/// Without turns, several servers would inspect the same inboxes.
pub(super) struct TakeTurn(pub(super) i64);

/// Ends the turn of this server.
pub(super) struct EndTurn(pub(super) i64);

impl Query for TakeTurn {
    type Answer = bool;

    async fn read(&self, connection: &mut PgConnection) -> Result<bool, Failure> {
        // The value holds the owner and the second in which its turn ends.
        let sql = "INSERT INTO settings (name, value) VALUES ('sweeper', concat($1, ' ', extract(epoch FROM clock_timestamp()) + $2))
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value
                   WHERE split_part(settings.value, ' ', 1) = $1
                      OR split_part(settings.value, ' ', 2)::float8 <= extract(epoch FROM clock_timestamp())";
        let query = sqlx::query(sql).bind(self.0.to_string()).bind(TURN.as_secs_f64());
        Ok(query.execute(connection).await?.rows_affected() == 1)
    }
}

impl Query for EndTurn {
    type Answer = ();

    async fn read(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let sql = "DELETE FROM settings WHERE name = 'sweeper' AND split_part(value, ' ', 1) = $1";
        sqlx::query(sql).bind(self.0.to_string()).execute(connection).await?;
        Ok(())
    }
}
