use std::path::PathBuf;

use clap::Args;
use internal_notifications::with_causes;
use internal_notifications_server::store::sqlite::backup;
use internal_notifications_server::{Config, Database};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::signals::Signals;

const DATABASE_URL: &str = "INTERNAL_NOTIFICATIONS_DATABASE_URL";

/// Copy the SQLite database of a server, which may be running, into a file
///
/// The copy is a consistent snapshot. It is synced to disk and only its owner can read it. To
/// restore it, stop the server, delete the -wal and -shm files beside the database, replace the
/// database with the copy, and start the server.
#[derive(Args)]
pub(crate) struct Backup {
    /// The server's database: sqlite://PATH [default: INTERNAL_NOTIFICATIONS_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// The file to write
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, mut env: Env, output: &mut Output) -> Result<(), Error> {
        env.set(DATABASE_URL, self.database.as_deref());
        let database = database_path(&env)?;
        let mut signals = Signals::listen()?;
        let bytes = tokio::select! {
            copied = backup(&database, &self.to, self.force) => {
                copied.map_err(|error| Error::failed(with_causes(&error)))?
            }
            () = signals.next() => return Err(Error::failed("interrupted; nothing was written")),
        };
        let to = self.to.display().to_string();
        match self.json {
            true => output.json(&json!({"path": to, "bytes": bytes})),
            false => output.line(&format!("{to}: {bytes} bytes")),
        }
    }
}

fn database_path(env: &Env) -> Result<PathBuf, Error> {
    let config = Config::from_env(|name| env.get(name).filter(|_| name == DATABASE_URL));
    match config.map_err(|error| Error::usage(with_causes(&error)))?.database {
        Some(Database::Sqlite(path)) => Ok(path),
        _ => Err(Error::usage("backup copies SQLite databases only; use pg_dump for PostgreSQL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postgresql_database_is_rejected_and_its_url_not_shown() {
        for url in ["postgres://ada:hunter2@db/inbox", "postgresql://ada:hunter2@db/inbox"] {
            let error = database_path(&Env::from([(DATABASE_URL, url)])).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let message = error.message().unwrap();
            assert!(message.contains("pg_dump") && !message.contains("hunter2"), "{message}");
        }
    }
}
