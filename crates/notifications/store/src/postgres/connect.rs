use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::options::PostgresOptions;
use super::url::PostgresUrl;
use crate::sql::failure::Failure;

/// The name of connections in `pg_stat_activity`, unless the URL has one.
const NAME: &str = "internal-notifications";
/// A connection that was idle for longer is checked before it is used.
const MAX_IDLE: Duration = Duration::from_secs(1);
/// Makes the planner use indexes, and read them in their order, as every statement can. Without
/// statistics on fast-growing tables, it would sometimes scan a table, or read and sort all that an
/// index has in order to find the first rows. The time-out ends the locks of a client that
/// vanished.
const SETTINGS: &str =
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET idle_in_transaction_session_timeout = '15s'; SET client_min_messages = warning";

pub(super) fn options(url: &PostgresUrl) -> Result<PgConnectOptions, Failure> {
    let options = url.options().ok_or_else(|| Failure::unusable("the database URL is invalid"))?;
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name(NAME) };
    Ok(options.disable_statement_logging())
}

/// Creates the pool, whose connections are opened when needed.
pub(super) fn pool(connect: PgConnectOptions, options: &PostgresOptions) -> PgPool {
    let (schema, limit) = (options.schema.clone(), options.call_timeout);
    PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > MAX_IDLE {
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

/// Opens a connection outside the pool, without a time limit for its statements.
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
    // A commit must be durable before it is answered, whatever the default of the database is.
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
    fn connections_have_a_name_unless_the_url_has_one() {
        let name = |url: &str| {
            let options = options(&url.parse().unwrap()).unwrap();
            options.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://ada@db.test/inbox").as_deref(), Some(NAME));
        assert_eq!(name("postgres://ada@db.test/inbox?application_name=blue").as_deref(), Some("blue"));
    }

    #[tokio::test]
    async fn commits_are_synchronous_whatever_the_default_is() {
        let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
            println!("skipped: TEST_POSTGRES_URL is not set");
            return;
        };
        let connect = options(&url.parse().unwrap()).unwrap().options([("synchronous_commit", "off")]);
        let pool = pool(connect, &PostgresOptions::default());
        let sql = "SELECT current_setting('synchronous_commit'), current_setting('search_path'), current_setting('statement_timeout')";
        let settings: (String, String, String) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(settings, ("on".to_owned(), "internal_notifications".to_owned(), "10s".to_owned()));
    }
}
