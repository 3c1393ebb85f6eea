use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;

use super::database::{Database, Query};
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// How long a turn lasts after it was last renewed. It is longer than the default pause between
/// passes.
const TURN: Duration = Duration::from_secs(90);
/// How long a step may take before it renews the turn.
const RENEWAL: Duration = Duration::from_secs(30);

/// The turn to sweep. Without turns, several servers would inspect the same inboxes.
pub(super) struct Turn<'d> {
    pub(super) database: &'d Arc<Database>,
    owner: i64,
    renewed: Instant,
}

impl<'d> Turn<'d> {
    /// Takes or renews the turn, unless another server has it.
    pub(super) async fn take(database: &'d Arc<Database>, owner: i64) -> Result<Option<Self>, StoreError> {
        let turn = Self { database, owner, renewed: Instant::now() };
        Ok(database.read(TakeTurn(owner)).await?.then_some(turn))
    }

    /// Renews the turn during a step that takes long.
    pub(super) async fn keep(&mut self) -> Result<(), StoreError> {
        if self.renewed.elapsed() < RENEWAL {
            return Ok(());
        }
        self.renew().await
    }

    /// Checks after an error that the database works, so that the error comes from what was being
    /// done. Otherwise returns the error.
    pub(super) async fn check_database(&mut self, error: &StoreError) -> Result<(), StoreError> {
        use StoreErrorKind::{DiskFull, ReadOnly};
        match matches!(error.kind(), DiskFull | ReadOnly) || self.renew().await.is_err() {
            true => Err(error.clone()),
            false => Ok(()),
        }
    }

    async fn renew(&mut self) -> Result<(), StoreError> {
        self.renewed = Instant::now();
        match self.database.read(TakeTurn(self.owner)).await? {
            true => Ok(()),
            false => Err(Failure::unavailable("another server has taken over the sweep").into()),
        }
    }
}

/// Takes or renews the turn of this server, and returns whether it has the turn.
struct TakeTurn(i64);

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
