use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use internal_notifications_models::UserId;
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::sync::mpsc;

use super::SqliteOptions;
use super::command::Command;
use super::file::DatabaseFile;
use super::result_code::is_io;
use super::transaction::{Keys, Transaction};
use super::{advance, connect, publish, push, schema, tidy, withdraw, write};
use crate::StoreErrorKind;
use crate::rules::listener_slot::ListenerSlot;
use crate::sql::failure::Failure;

/// The most commands of one transaction.
const COMMANDS: usize = 256;
/// A transaction takes no further command once it has about this many rows.
const ROWS: usize = 20_000;

/// The task that alone writes. Whoever comes while it commits shares the next transaction, and so its sync.
pub(super) struct Writer {
    file: DatabaseFile,
    options: SqliteOptions,
    readers: SqlitePool,
    commits: Arc<AtomicU64>,
    listener: Arc<ListenerSlot>,
    /// None after a failure: the next transaction begins on a new one.
    session: Option<Session>,
}

struct Session {
    connection: SqliteConnection,
    keys: Keys,
}

impl Writer {
    pub(super) async fn open(
        file: DatabaseFile,
        options: SqliteOptions,
        readers: SqlitePool,
        commits: Arc<AtomicU64>,
        listener: Arc<ListenerSlot>,
    ) -> Result<Self, Failure> {
        let mut connection = connect::writer(&file, &options).await?;
        schema::migrate(&mut connection).await?;
        let keys = Keys::load(&mut connection).await?;
        let session = Some(Session { connection, keys });
        Ok(Self { file, options, readers, commits, listener, session })
    }

    /// Serves until it is told to close, or until the store is dropped; then finishes what is in the queue.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(COMMANDS);
        while commands.recv_many(&mut waiting, COMMANDS).await > 0 {
            if waiting.iter().any(|command| matches!(command, Command::Close)) {
                commands.close();
            }
            let mut rest = waiting.drain(..).peekable();
            while let Some(first) = rest.next() {
                let mut rows = first.weight();
                let mut batch = vec![first];
                while let Some(next) = rest.next_if(|next| rows + next.weight() <= ROWS) {
                    rows += next.weight();
                    batch.push(next);
                }
                self.serve(batch).await;
            }
        }
        self.close().await;
    }

    async fn serve(&mut self, mut batch: Vec<Command>) {
        let done = self.transaction(&mut batch).await;
        match &done {
            Ok(touched) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.listener.committed(touched);
            }
            Err(failure) => {
                let error = failure.as_error();
                tracing::warn!(
                    error,
                    commands = batch.len(),
                    "a transaction failed, nothing of it is stored"
                );
            }
        }
        let done = done.as_ref().map(|_| ());
        batch.into_iter().for_each(|command| command.settle(done));
    }

    async fn transaction(&mut self, batch: &mut [Command]) -> Result<Vec<UserId>, Failure> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.reconnect().await?,
        };
        let done = session.transaction(&self.options, batch).await;
        match done {
            Ok(_) => self.session = Some(session),
            // Whatever it was, a new connection knows nothing of it; closing this one rolls back.
            Err(_) => drop(session.connection.close().await),
        }
        match done {
            Err(failure) if is_io(&failure) => {
                let is_of_the_disk = |failure: &Failure| {
                    matches!(failure.kind(), StoreErrorKind::DiskFull | StoreErrorKind::ReadOnly)
                };
                Err(self.reason().await.err().filter(is_of_the_disk).unwrap_or(failure))
            }
            done => done,
        }
    }

    /// Why nothing can be written. A connection whose file became read-only under it knows of an I/O error alone; a new one knows more.
    async fn reason(&self) -> Result<(), Failure> {
        let mut session = self.reconnect().await?;
        let begun = session.connection.begin_with("BEGIN IMMEDIATE").await.map(drop);
        drop(session.connection.close().await);
        Ok(begun?)
    }

    async fn reconnect(&self) -> Result<Session, Failure> {
        let mut connection = connect::writer(&self.file, &self.options).await?;
        let keys = Keys::load(&mut connection).await?;
        Ok(Session { connection, keys })
    }

    async fn close(self) {
        self.readers.close().await;
        if let Some(Session { mut connection, .. }) = self.session {
            let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
            if let Err(error) = checkpoint.and(connection.close().await) {
                tracing::warn!(%error, "the database was not closed cleanly; nothing is lost");
            }
        }
    }
}

impl Session {
    async fn transaction(
        &mut self,
        options: &SqliteOptions,
        batch: &mut [Command],
    ) -> Result<Vec<UserId>, Failure> {
        let mut begun = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut transaction = Transaction::new(&mut begun, &mut self.keys, &*options.hooks.make_tag);
        for run in batch.chunk_by_mut(|one, next| one.is_push() && next.is_push()) {
            match run {
                [Command::Write(user_id, write, reply)] => {
                    reply.set(write::run(&mut transaction, user_id, write).await?);
                }
                [Command::Retract(id, at, reply)] => {
                    reply.set(withdraw::retract(&mut transaction, id, *at).await?);
                }
                [Command::Withdraw(notification, at, reply)] => {
                    let left = withdraw::some(&mut transaction, *notification, *at, withdraw::BATCH).await?;
                    reply.set(Ok(left.all));
                }
                [Command::Advance(now, limit, reply)] => {
                    reply.set(Ok(advance::run(&mut transaction, *now, *limit).await?));
                }
                [Command::Tidy(untidy, reply)] => {
                    reply.set(Ok(tidy::run(&mut transaction, untidy).await?));
                }
                [Command::Setting { name, value, reply }] => {
                    reply.set(Ok(setting(transaction.connection, name, value).await?));
                }
                [Command::Ping(reply)] => {
                    try_a_write(transaction.connection).await?;
                    reply.set(Ok(()));
                }
                [Command::Mark(..) | Command::Close] => {}
                pushes => push::run(&mut transaction, pushes).await?,
            }
        }
        publish::mark(&mut transaction, batch).await?;
        let touched = transaction.into_touched();
        begun.commit().await?;
        Ok(touched)
    }
}

/// Writes what is never the same, so that a page is changed.
async fn try_a_write(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let sql = "INSERT INTO settings (name, value) VALUES ('last_ready', hex(randomblob(8)))
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

async fn setting(connection: &mut SqliteConnection, name: &str, value: &str) -> Result<String, Failure> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    sqlx::query(sql).bind(name.to_owned()).bind(value.to_owned()).execute(&mut *connection).await?;
    let sql = "SELECT value FROM settings WHERE name = ?1";
    Ok(sqlx::query_scalar(sql).bind(name.to_owned()).fetch_one(connection).await?)
}
