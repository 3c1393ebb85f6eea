use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::sql::failure::Failure;

/// Statements that insert rows, many each: a statement costs a hop to the connection's thread, a row read from JSON more than its insertion.
pub(super) struct Insert(Vec<(QueryBuilder<Sqlite>, usize)>);

/// The most rows of a statement: as many as a transaction has commands, so that those who each push to one user share it.
const ROWS: usize = 256;

impl Insert {
    /// Of these rows, `into` a table and its columns; `conflict` is what follows the values.
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
            // Those of every number of rows would drive each other out of the cache.
            let kept = count == 1 || count == ROWS;
            statement.build().persistent(kept).execute(&mut *connection).await?;
        }
        Ok(())
    }
}
