use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::{PostgresOptions, PostgresUrl};
use crate::sql::failure::Failure;

/// What the server calls its connections (`pg_stat_activity`) where the URL does not.
const NAME: &str = "internal-notifications";
/// A connection that rested for longer is tried before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// The statements are written for lookups by index, as every one of them can be; the planner, without figures on tables that grow fast,
/// would sometimes read them from end to end. A client that is gone holds no locks for long.
const SETTINGS: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET idle_in_transaction_session_timeout = '15s'; SET client_min_messages = warning";

pub(super) fn options(url: &PostgresUrl) -> Result<PgConnectOptions, Failure> {
    let options = url.options().ok_or_else(|| Failure::unusable("its URL cannot be used"))?;
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name(NAME) };
    Ok(options.disable_statement_logging())
}

/// Connections that are opened when they are needed.
pub(super) fn pool(connect: PgConnectOptions, options: &PostgresOptions) -> PgPool {
    let (schema, limit) = (options.schema.clone(), options.call_timeout);
    PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, rest| {
            Box::pin(async move {
                if rest.idle_for > RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let schema = schema.clone();
            Box::pin(async move { prepare(connection, &schema, Some(limit)).await })
        })
        .connect_lazy_with(connect)
}

/// One connection apart from the pool, whose statements may take as long as they take.
pub(super) async fn alone(
    connect: &PgConnectOptions,
    options: &PostgresOptions,
) -> Result<PgConnection, Failure> {
    let connection = async {
        let mut connection = connect.connect().await?;
        prepare(&mut connection, &options.schema, None).await?;
        Ok(connection)
    };
    tokio::time::timeout(options.acquire_timeout, connection)
        .await
        .unwrap_or_else(|_| Err(Failure::unavailable("PostgreSQL does not answer")))
}

async fn prepare(
    connection: &mut PgConnection,
    schema: &str,
    statement: Option<Duration>,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SETTINGS).execute(&mut *connection).await?;
    let milliseconds = statement.map_or(0, |limit| limit.as_millis()).to_string();
    // A commit must be on disk before it is answered, whatever the database's default is.
    sqlx::query(
        "SELECT set_config('search_path', quote_ident($1), false), set_config('statement_timeout', $2, false),
                set_config('synchronous_commit',
                    CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)",
    )
    .bind(schema)
    .bind(milliseconds)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_have_a_name() {
        let name = |url: &str| {
            let options = options(&url.parse().unwrap()).unwrap();
            options.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://ada@db.test/inbox").as_deref(), Some(NAME));
        assert_eq!(name("postgres://ada@db.test/inbox?application_name=blue").as_deref(), Some("blue"));
    }

    #[tokio::test]
    async fn a_commit_is_on_disk_whatever_the_default_is() {
        let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
            println!("skipped: it needs a PostgreSQL database, TEST_POSTGRES_URL=postgres://…");
            return;
        };
        let connect = options(&url.parse().unwrap()).unwrap().options([("synchronous_commit", "off")]);
        let pool = pool(connect, &PostgresOptions::default());
        let sql = "SELECT current_setting('synchronous_commit'), current_setting('search_path'), current_setting('statement_timeout')";
        let settings: (String, String, String) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(settings, ("on".to_owned(), "internal_notifications".to_owned(), "10s".to_owned()));
    }
}
