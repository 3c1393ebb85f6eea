use crate::command_line::Choice;
use crate::failure::Failure;
use crate::processes::postgres::Postgres;
use std::path::{Path, PathBuf};

/// The database that the nodes store the inboxes in.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(Box<Postgres>),
    /// An existing database, which only the nodes access.
    Url(String),
}

impl Database {
    pub(crate) async fn start(choice: &Choice, folder: &Path) -> Result<Self, Failure> {
        Ok(match choice {
            Choice::Sqlite => Self::Sqlite(folder.join("inbox.db")),
            Choice::Postgres => Self::Postgres(Box::new(Postgres::start(folder.join("postgres.log")).await?)),
            Choice::Url(url) => Self::Url(url.clone()),
        })
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres(postgres) => postgres.url(),
            Self::Url(url) => url.clone(),
        }
    }
}
