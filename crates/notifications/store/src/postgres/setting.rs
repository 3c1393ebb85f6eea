use sqlx::{Connection, PgConnection};

use super::work::Reading;
use super::{PostgresOptions, PostgresUrl, connect};
use crate::StoreError;
use crate::sql::failure::Failure;

/// [`Store::get_or_insert_setting`](crate::Store::get_or_insert_setting).
pub(super) struct Setting<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// [`Store::ready`](crate::Store::ready): writes what is never the same.
pub(super) struct Ping;

impl Reading for Setting<'_> {
    type Answer = String;

    async fn read(&self, connection: &mut PgConnection) -> Result<String, Failure> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        sqlx::query(sql).bind(self.name).bind(self.value).execute(&mut *connection).await?;
        let sql = "SELECT value FROM settings WHERE name = $1";
        Ok(sqlx::query_scalar(sql).bind(self.name).fetch_one(connection).await?)
    }
}

impl Reading for Ping {
    type Answer = ();

    async fn read(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let sql = "INSERT INTO settings (name, value) VALUES ('last_ready', clock_timestamp()::text)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).execute(connection).await?;
        Ok(())
    }
}

/// A setting as it is stored, read beside the servers. Nothing is made or written; none where no server ever was.
///
/// # Errors
/// The database cannot be read.
pub async fn read_setting(
    url: &PostgresUrl,
    options: &PostgresOptions,
    name: &str,
) -> Result<Option<String>, StoreError> {
    read(url, options, name).await.map_err(StoreError::from)
}

async fn read(url: &PostgresUrl, options: &PostgresOptions, name: &str) -> Result<Option<String>, Failure> {
    let mut connection = connect::alone(&connect::options(url)?, options).await?;
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'settings')";
    let made: bool = sqlx::query_scalar(sql).bind(&options.schema).fetch_one(&mut connection).await?;
    let value = match made {
        true => {
            let sql = "SELECT value FROM settings WHERE name = $1";
            sqlx::query_scalar(sql).bind(name).fetch_optional(&mut connection).await?
        }
        false => None,
    };
    connection.close().await?;
    Ok(value)
}
