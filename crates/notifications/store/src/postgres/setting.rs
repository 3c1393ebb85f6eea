use internal_notifications_models::Timestamp;
use sqlx::{Connection, PgConnection};

use super::connect;
use super::database::Query;
use super::options::PostgresOptions;
use super::url::PostgresUrl;
use crate::sql::failure::Failure;
use crate::store_time::RECORDED_TIME;
use crate::{StoreError, StoreTime};

/// [`Store::get_or_insert_setting`](crate::Store::get_or_insert_setting).
pub(super) struct Setting<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// [`Store::ready`](crate::Store::ready): writes a new value.
pub(super) struct Ping;

/// [`Store::time`](crate::Store::time).
pub(super) struct ReadTime;

/// [`Store::record_time`](crate::Store::record_time).
pub(super) struct RecordTime(pub(super) String);

impl Query for Setting<'_> {
    type Answer = String;

    async fn read(&self, connection: &mut PgConnection) -> Result<String, Failure> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        sqlx::query(sql).bind(self.name).bind(self.value).execute(&mut *connection).await?;
        let sql = "SELECT value FROM settings WHERE name = $1";
        Ok(sqlx::query_scalar(sql).bind(self.name).fetch_one(connection).await?)
    }
}

impl Query for Ping {
    type Answer = ();

    async fn read(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let sql = "INSERT INTO settings (name, value) VALUES ('last_ready', clock_timestamp()::text)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).execute(connection).await?;
        Ok(())
    }
}

impl Query for ReadTime {
    type Answer = StoreTime;

    async fn read(&self, connection: &mut PgConnection) -> Result<StoreTime, Failure> {
        let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
                          (SELECT value FROM settings WHERE name = $1)";
        let query = sqlx::query_as(sql).bind(RECORDED_TIME);
        let (now, recorded): (i64, Option<String>) = query.fetch_one(connection).await?;
        let now = Timestamp::from_millisecond(now)
            .map_err(|_| Failure::unusable("the time of PostgreSQL is out of range"))?;
        Ok(StoreTime::parse(Some(now), recorded.as_deref()))
    }
}

impl Query for RecordTime {
    type Answer = ();

    async fn read(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let query = sqlx::query(sql).bind(RECORDED_TIME).bind(&self.0);
        query.execute(connection).await?;
        Ok(())
    }
}

/// Returns the setting with this name, or `None` if it, or the schema, does not exist.
///
/// Nothing is created or written.
///
/// # Errors
/// Returns an error if the database cannot be read.
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
    let exists: bool = sqlx::query_scalar(sql).bind(&options.schema).fetch_one(&mut connection).await?;
    let value = match exists {
        true => {
            let sql = "SELECT value FROM settings WHERE name = $1";
            sqlx::query_scalar(sql).bind(name).fetch_optional(&mut connection).await?
        }
        false => None,
    };
    connection.close().await?;
    Ok(value)
}
