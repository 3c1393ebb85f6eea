use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use internal_notifications_models::UserId;
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::sync::mpsc;

use super::command::Command;
use super::file::DatabaseFile;
use super::options::SqliteOptions;
use super::transaction::{Keys, Transaction};
use super::{cleanup, connect, orphans, publish, push, retract, schema, setting, write};
use crate::StoreErrorKind;
use crate::rules::listener_slot::ListenerSlot;
use crate::sql::failure::Failure;

/// The most commands of one transaction.
pub(super) const COMMANDS: usize = 256;
/// A transaction takes no further command once it has about this many rows.
pub(super) const ROWS: usize = 20_000;

/// A push to more users than this is large: it shares transactions only with other large ones, so
/// that the listener can tell small commits from large ones.
const LARGE: usize = 100;

/// The task that writes. Commands that arrive while it commits share the next transaction and its
/// sync.
pub(super) struct Writer {
    file: DatabaseFile,
    options: SqliteOptions,
    readers: SqlitePool,
    commits: Arc<AtomicU64>,
    listener: Arc<ListenerSlot>,
    /// `None` after a failure, so that the next transaction opens a new connection.
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

    /// Runs commands until `Close`, or until the store is dropped, and finishes those in the queue.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(COMMANDS);
        while commands.recv_many(&mut waiting, COMMANDS).await > 0 {
            if waiting.iter().any(|command| matches!(command, Command::Close)) {
                commands.close();
            }
            let mut rest = waiting.drain(..).peekable();
            while let Some(first) = rest.next() {
                let mut rows = first.weight();
                let is_large = is_large_push(&first);
                let mut batch = vec![first];
                let may_join = |next: &Command, rows: usize| {
                    is_large_push(next) == is_large && rows.saturating_add(next.weight()) <= ROWS
                };
                while let Some(next) = rest.next_if(|next| may_join(next, rows)) {
                    rows += next.weight();
                    batch.push(next);
                }
                self.serve(batch).await;
            }
        }
        self.close().await;
    }

    /// Runs commands in one transaction. If it fails for a reason that may lie in one of them, each
    /// half runs apart.
    async fn serve(&mut self, batch: Vec<Command>) {
        let mut left = vec![batch];
        while let Some(mut batch) = left.pop() {
            let done = self.transaction(&mut batch).await;
            match &done {
                Ok(changed) => {
                    self.commits.fetch_add(1, Ordering::Relaxed);
                    self.listener.committed(changed);
                }
                Err(failure) if failure.is_particular() && batch.len() > 1 => {
                    let second = batch.split_off(batch.len() / 2);
                    left.extend([second, batch]);
                    continue;
                }
                Err(failure) => {
                    let error = failure.as_error();
                    tracing::warn!(
                        error,
                        commands = batch.len(),
                        "a transaction failed; nothing of it is stored"
                    );
                }
            }
            let done = done.as_ref().map(|_| ());
            batch.into_iter().for_each(|command| command.settle(done));
        }
    }

    async fn transaction(&mut self, batch: &mut [Command]) -> Result<Vec<UserId>, Failure> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.reconnect().await?,
        };
        let done = session.transaction(&self.options, batch).await;
        match done {
            Ok(_) => self.session = Some(session),
            // Closing the connection rolls the transaction back.
            Err(_) => drop(session.connection.close().await),
        }
        match done {
            Err(failure) if failure.is_io() => {
                let explains = |failure: &Failure| {
                    matches!(failure.kind(), StoreErrorKind::DiskFull | StoreErrorKind::ReadOnly)
                };
                Err(self.diagnose().await.err().filter(explains).unwrap_or(failure))
            }
            done => done,
        }
    }

    /// Finds out why nothing can be written.
    ///
    /// A connection whose file became read-only reports only an I/O error; a new one reports more.
    async fn diagnose(&self) -> Result<(), Failure> {
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
                    reply.set(retract::mark(&mut transaction, id, *at).await?);
                }
                [Command::Withdraw(withdraw, reply)] => {
                    reply.set(Ok(withdraw.run(&mut transaction).await?));
                }
                [Command::Deliver(deliver, reply)] => {
                    reply.set(Ok(deliver.run(&mut transaction).await?));
                }
                [Command::Cleanup(cleanup, reply)] => {
                    reply.set(Ok(cleanup::run(&mut transaction, cleanup).await?));
                }
                [Command::Searched(search, reply)] => {
                    search.store(transaction.connection).await?;
                    reply.set(Ok(()));
                }
                [Command::Forget(forget, reply)] => {
                    reply.set(Ok(orphans::run(&mut transaction, forget).await?));
                }
                [Command::Setting { name, value, reply }] => {
                    reply.set(Ok(setting::get_or_insert(transaction.connection, name, value).await?));
                }
                [Command::RecordTime(value, reply)] => {
                    setting::record_time(transaction.connection, value).await?;
                    reply.set(Ok(()));
                }
                [Command::Ping(reply)] => {
                    try_a_write(transaction.connection).await?;
                    reply.set(Ok(()));
                }
                [Command::Mark(..) | Command::Close] => {}
                commands => {
                    let pushes: Vec<_> = commands.iter().flat_map(Command::pushes).collect();
                    let mut answers = push::run(&mut transaction, &pushes).await?.into_iter();
                    commands.iter_mut().for_each(|command| command.set_pushed(&mut answers));
                }
            }
        }
        publish::mark(&mut transaction, batch).await?;
        let changed = transaction.into_changed();
        begun.commit().await?;
        Ok(changed)
    }
}

fn is_large_push(command: &Command) -> bool {
    command.pushes().iter().map(|push| push.user_ids.len()).sum::<usize>() > LARGE
}

/// Writes a new value, so that a page changes.
async fn try_a_write(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let sql = "INSERT INTO settings (name, value) VALUES ('last_ready', hex(randomblob(8)))
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}
