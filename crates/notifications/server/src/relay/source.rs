use async_trait::async_trait;

/// Where intents are: a table, and what tells of new rows in it.
#[async_trait]
pub trait IntentSource: Send + Sync + 'static {
    /// What logs call it. Holds no password.
    fn name(&self) -> &str;

    /// The first intents that wait, at most `limit`, in the order of their keys. Nobody else is given them until they are settled, or this
    /// connection ends; where a source cannot have that, another may push them too, which is harmless.
    async fn take(&mut self, limit: usize) -> Result<Vec<Taken>, SourceError>;

    /// Ends what the last [`take`](Self::take) began: these are done with, and what else it gave waits again.
    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), SourceError>;

    /// Waits until there may be more.
    async fn changed(&mut self);

    /// Lets go of the database: its files may be moved afterwards.
    async fn close(self: Box<Self>);
}

/// A row of the table, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its key.
    pub key: i64,
    /// What stands in it, or why that cannot be read.
    pub row: Result<IntentRow, &'static str>,
}

/// What stands in a row. Anyone who may write to the table wrote it: nothing of it is checked.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns, as internal-notifications-outbox has them")]
pub struct IntentRow {
    pub id: String,
    pub sender: String,
    pub user_ids: String,
    pub body: String,
}

/// An intent that is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its key.
    pub key: i64,
    /// Why it was refused; none when it was pushed.
    pub failed: Option<String>,
}

/// Why a source did not do it; later it may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(String);

impl SourceError {
    /// This is why. No password, nothing of a row.
    pub fn new(cause: impl Into<String>) -> Self {
        Self(cause.into())
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl From<sqlx::Error> for SourceError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<tokio::time::error::Elapsed> for SourceError {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::new("the database does not answer")
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// What an error says, and what is behind it.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// The most bytes of a row's recipients: 10,000 of 120 characters, and some white space.
pub(super) const USER_IDS_BYTES: i64 = 2 * 1024 * 1024;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// The most bytes of a row's body, to be measured again when it was read.
pub(super) const BODY_BYTES: i64 = 1024 * 1024;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// A row as the databases give it: its key, and its columns as bytes; none where it has more than it may.
pub(super) type Bytes = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Taken {
    pub(super) fn of((key, id, sender, user_ids, body): Bytes) -> Self {
        let text = |bytes: Option<Vec<u8>>| {
            String::from_utf8(bytes.ok_or("it is too large")?).map_err(|_| "it is no UTF-8")
        };
        let row = || {
            Ok(IntentRow {
                id: text(id)?,
                sender: text(sender)?,
                user_ids: text(user_ids)?,
                body: text(body)?,
            })
        };
        Self { key, row: row() }
    }
}

impl std::fmt::Debug for IntentRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntentRow").field("id", &self.id).finish_non_exhaustive()
    }
}
