use std::path::PathBuf;

use clap::Args;
use internal_notifications_server::store::sqlite::backup;
use internal_notifications_server::{Config, Database};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::stop::Stop;

const DATABASE_URL: &str = "INTERNAL_NOTIFICATIONS_DATABASE_URL";

/// Copy the SQLite database of a server, which may be running, into a file
///
/// The copy is the database as it is at one moment; it is synced to disk, and readable by its owner alone. To restore it: stop the server,
/// delete the files beside the database that end in -wal and -shm, put the copy in the database's place, and start the server.
#[derive(Args)]
pub(crate) struct Backup {
    /// The server's database, before INTERNAL_NOTIFICATIONS_DATABASE_URL: sqlite://PATH
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
    /// The file to write
    #[arg(value_name = "TO")]
    to: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, mut env: Env, output: &mut Output) -> Result<(), Error> {
        env.set(DATABASE_URL, self.database.as_deref());
        let database = database(&env)?;
        let mut stop = Stop::listen()?;
        let bytes = tokio::select! {
            copied = backup(&database, &self.to, self.force) => copied.map_err(Error::failed)?,
            () = stop.asked() => return Err(Error::failed("interrupted; nothing was written")),
        };
        let to = self.to.display().to_string();
        match self.json {
            true => output.json(&json!({"path": to, "bytes": bytes})),
            false => output.line(&format!("{to}: {bytes} bytes")),
        }
    }
}

/// The file of the database.
fn database(env: &Env) -> Result<PathBuf, Error> {
    let config = Config::from_env(|name| env.get(name).filter(|_| name == DATABASE_URL));
    match config.map_err(Error::usage)?.database {
        Some(Database::Sqlite(path)) => Ok(path),
        _ => Err(Error::usage("backup copies SQLite databases; copy one of PostgreSQL with pg_dump")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_postgresql_is_not_copied_and_not_shown() {
        for url in ["postgres://ada:hunter2@db/inbox", "postgresql://ada:hunter2@db/inbox"] {
            let error = database(&Env::from([(DATABASE_URL, url)])).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let text = error.text().unwrap();
            assert!(text.contains("pg_dump") && !text.contains("hunter2"), "{text}");
        }
    }
}
