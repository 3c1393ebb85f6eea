use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connect;
use super::options::PostgresOptions;
use crate::rules::tasks::Tasks;
use crate::sql::failure::Failure;

/// How often the connection that holds the lock is checked.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a check, and each attempt to take the lock again, may last.
const ANSWER: Duration = Duration::from_secs(5);
/// The number of failed attempts after which another server must have the lock.
const MISSED: u32 = 20;
/// How long a starting server waits for the lock of one that was just killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The lock that lets one embedded broker at a time serve the inboxes of a database.
///
/// It is an advisory lock of a session and ends with its connection. A task checks the connection
/// and takes the lock again if it is lost.
pub(super) struct BrokerLock(JoinHandle<()>);

impl BrokerLock {
    pub(super) async fn take(
        connect: PgConnectOptions,
        options: &PostgresOptions,
        tasks: &Tasks,
    ) -> Result<Self, Failure> {
        let until = Instant::now() + PATIENCE;
        let connection = loop {
            match locked(&connect, options).await? {
                Some(connection) => break connection,
                None if Instant::now() >= until => {
                    return Err(Failure::unusable(
                        "another server with an embedded broker uses this database; stop it first, or let all servers use one Channels engine (INTERNAL_NOTIFICATIONS_REALTIME=pusher)",
                    ));
                }
                None => sleep(PERIOD / 10).await,
            }
        };
        Ok(Self(tasks.spawn("broker lock", hold(connection, connect, options.clone()))))
    }
}

impl Drop for BrokerLock {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Opens a connection and takes the lock; returns `None` while another has it.
async fn locked(
    connect: &PgConnectOptions,
    options: &PostgresOptions,
) -> Result<Option<PgConnection>, Failure> {
    let mut connection = connect::alone(connect, options).await?;
    // After about 15 seconds, this frees the lock of a machine that vanished.
    let sql = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3";
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    let sql = "SELECT pg_try_advisory_lock(hashtextextended('internal-notifications broker ' || $1, 0))";
    let taken: bool = sqlx::query_scalar(sql).bind(&options.schema).fetch_one(&mut connection).await?;
    Ok(taken.then_some(connection))
}

async fn hold(mut connection: PgConnection, connect: PgConnectOptions, options: PostgresOptions) {
    loop {
        while is_alive(&mut connection).await {
            sleep(PERIOD).await;
        }
        // A connection that is only slow would otherwise still hold the lock.
        drop(connection);
        tracing::error!(
            "lost the connection that holds the lock of the embedded broker; taking the lock again"
        );
        connection = retake(&connect, &options).await;
        tracing::info!("took the lock of the embedded broker again");
    }
}

async fn is_alive(connection: &mut PgConnection) -> bool {
    timeout(ANSWER, connection.ping()).await.is_ok_and(|answer| answer.is_ok())
}

async fn retake(connect: &PgConnectOptions, options: &PostgresOptions) -> PgConnection {
    let mut tries = 0_u32;
    loop {
        match timeout(ANSWER, locked(connect, options)).await {
            Ok(Ok(Some(connection))) => return connection,
            Ok(Ok(None)) => {
                tries += 1;
                // PostgreSQL may not notice for a while that the old connection is gone.
                if tries == MISSED {
                    tracing::error!(
                        "another server took the lock of the embedded broker; clients of this one miss what it publishes until they catch up"
                    );
                }
            }
            Ok(Err(_)) | Err(_) => {}
        }
        sleep(PERIOD).await;
    }
}
