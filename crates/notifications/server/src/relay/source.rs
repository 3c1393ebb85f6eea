use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// A table of intents.
#[async_trait]
pub trait IntentSource: Send + Sync + 'static {
    /// Returns the name of the source for logs, without a password.
    fn name(&self) -> &str;

    /// Returns the oldest pending intents except those with the keys `resting`, in the order of
    /// their keys: at most `limit`, or fewer if they are large, but at least one if there is any.
    /// Others do not get them until they are settled or the source's connection ends. If a source
    /// cannot lock rows, another server may push the same intents, which is harmless.
    ///
    /// # Errors
    /// Returns a [`SourceError`] if the table cannot be read now.
    async fn take(&mut self, limit: usize, resting: &[i64]) -> Result<Vec<PendingIntent>, SourceError>;

    /// Ends what the last [`take`](Self::take) started: removes or marks these intents, and
    /// releases the rest.
    ///
    /// # Errors
    /// Returns a [`SourceError`] if the table cannot be written now.
    async fn settle(&mut self, settled: Vec<SettledIntent>) -> Result<(), SourceError>;

    /// Waits until there may be new intents. May be dropped before.
    async fn changed(&mut self);

    /// Closes the connection to the database. Its files may be moved afterwards.
    async fn close(self: Box<Self>);
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingIntent {
    /// The row's key.
    pub key: i64,
    /// The row's columns, or why they cannot be read.
    pub row: Result<IntentRow, &'static str>,
}

/// The columns of a row. None of them is validated: anyone who may write to the table wrote them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntentRow {
    /// The id of the notification.
    pub id: String,
    /// The sender, `outbox:NAME`.
    pub sender: String,
    /// The recipients, a JSON array.
    pub user_ids: String,
    /// The notification, JSON.
    pub body: String,
}

/// An intent that was pushed or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledIntent {
    /// The row's key.
    pub key: i64,
    /// Why it was refused; `None` if it was pushed.
    pub failed: Option<String>,
}

impl PendingIntent {
    /// Returns the row with this key.
    pub fn new(key: i64, row: Result<IntentRow, &'static str>) -> Self {
        Self { key, row }
    }
}

impl IntentRow {
    /// Returns a row with these columns.
    pub fn new(
        id: impl Into<String>,
        sender: impl Into<String>,
        user_ids: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self { id: id.into(), sender: sender.into(), user_ids: user_ids.into(), body: body.into() }
    }
}

/// Why a source failed. Later it may work again.
#[derive(Clone, Debug)]
pub struct SourceError {
    text: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl SourceError {
    /// Returns an error with this text, which must contain no password and no part of a row.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), source: None }
    }

    /// Adds the cause, to which the same applies.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Debug for IntentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntentRow").field("id", &self.id).finish_non_exhaustive()
    }
}
