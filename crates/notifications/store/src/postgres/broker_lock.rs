use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{PostgresOptions, connect};
use crate::sql::failure::Failure;

/// How often the connection that holds the lock is tried.
const PERIOD: Duration = Duration::from_secs(1);
/// How long that may take, and how long taking it again.
const ANSWER: Duration = Duration::from_secs(5);
/// After so many tries it is somebody else who has the lock.
const MISSED: u32 = 20;
/// How long a starting server waits for the end of one that was killed just now.
const PATIENCE: Duration = Duration::from_secs(2);

/// That no other server's embedded broker serves the inboxes of this database: clients of the one would not hear of what the other
/// publishes. It is a lock of a connection's session, and ends with it.
pub(super) struct BrokerLock(JoinHandle<()>);

impl BrokerLock {
    pub(super) async fn take(connect: PgConnectOptions, options: &PostgresOptions) -> Result<Self, Failure> {
        let until = Instant::now() + PATIENCE;
        let connection = loop {
            match locked(&connect, options).await? {
                Some(connection) => break connection,
                None if Instant::now() >= until => {
                    return Err(Failure::unusable(
                        "another server with the embedded broker works on this database; stop it first, or have all servers use one Channels engine (INTERNAL_NOTIFICATIONS_REALTIME=pusher)",
                    ));
                }
                None => sleep(PERIOD / 10).await,
            }
        };
        Ok(Self(tokio::spawn(hold(connection, connect, options.clone()))))
    }
}

impl Drop for BrokerLock {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A connection that has the lock; none while another has it.
async fn locked(
    connect: &PgConnectOptions,
    options: &PostgresOptions,
) -> Result<Option<PgConnection>, Failure> {
    let mut connection = connect::alone(connect, options).await?;
    // Of a machine that vanished the lock is free in some fifteen seconds.
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
        // It may only have been slow, and would keep the lock from its successor.
        drop(connection);
        tracing::error!("the lock of the embedded broker is lost with its connection; taking it again");
        connection = retake(&connect, &options).await;
        tracing::info!("the lock of the embedded broker is held again");
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
                // PostgreSQL may think for a while that the lost connection is there.
                if tries == MISSED {
                    tracing::error!(
                        "another server with the embedded broker has this database now: clients here miss what it publishes until they catch up"
                    );
                }
            }
            Ok(Err(_)) | Err(_) => {}
        }
        sleep(PERIOD).await;
    }
}
