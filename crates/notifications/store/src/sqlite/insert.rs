use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::sql::failure::Failure;

/// Statements that insert many rows each.
///
/// A statement costs a hop to the connection's thread, and reading a row from JSON costs more than
/// inserting it.
pub(super) struct Insert(Vec<(QueryBuilder<Sqlite>, usize)>);

/// The most rows of a statement: as many as a transaction has commands, so that its pushes share
/// one statement if each has one recipient.
const ROWS: usize = 256;

impl Insert {
    /// Prepares the insertion of rows. `into` names the table and its columns; `conflict` follows
    /// the values.
    pub(super) fn new<R>(
        into: &'static str,
        conflict: &'static str,
        rows: impl IntoIterator<Item = R>,
        mut bind: impl FnMut(Separated<'_, Sqlite, &'static str>, R),
    ) -> Self {
        let mut rows = rows.into_iter().peekable();
        let mut statements = Vec::new();
        while rows.peek().is_some() {
            let mut count = 0;
            let mut statement = QueryBuilder::new(into);
            statement.push_values(rows.by_ref().take(ROWS).inspect(|_| count += 1), &mut bind).push(conflict);
            statements.push((statement, count));
        }
        Self(statements)
    }

    pub(super) async fn execute(self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        for (mut statement, count) in self.0 {
            // Statements for every number of rows would evict each other from the cache.
            let is_cached = count == 1 || count == ROWS;
            statement.build().persistent(is_cached).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
