#[cfg(feature = "sqlite")]
mod result_code;
#[cfg(feature = "postgres")]
mod sqlstate;

use std::borrow::Cow;

use internal_notifications_models::InvalidId;

use crate::{StoreError, StoreErrorKind};

/// Why a statement or a transaction failed. Every caller of a shared transaction receives a copy.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    error: StoreError,
    #[cfg(feature = "postgres")]
    is_transient: bool,
}

impl Failure {
    pub(crate) fn unusable(message: impl Into<Cow<'static, str>>) -> Self {
        StoreError::new(StoreErrorKind::Unusable).with_message(message).into()
    }

    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        StoreError::new(StoreErrorKind::Unavailable).with_message(message).into()
    }

    /// Another transaction stored something between two statements of this one, which a repeat
    /// finds.
    #[cfg(feature = "postgres")]
    pub(crate) fn came_between() -> Self {
        Self::unavailable("other transactions came between").transient(true)
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn as_error(&self) -> &(dyn std::error::Error + 'static) {
        &self.error
    }

    pub(crate) fn kind(&self) -> StoreErrorKind {
        self.error.kind()
    }

    /// Marks a failure after which nothing was stored and an immediate repeat may succeed.
    #[cfg(feature = "postgres")]
    pub(crate) fn transient(self, is_transient: bool) -> Self {
        Self { is_transient, ..self }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// Marks a failure that may be due to one of the calls that shared a transaction. Nothing was
    /// stored, and the others may succeed apart from it.
    pub(crate) fn particular(mut self, is_particular: bool) -> Self {
        self.error = self.error.with_outage(!is_particular);
        self
    }

    pub(crate) fn is_particular(&self) -> bool {
        !self.error.is_outage()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            #[cfg(feature = "postgres")]
            is_transient: false,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let unavailable = StoreError::new(StoreErrorKind::Unavailable);
        match error {
            #[cfg(feature = "sqlite")]
            sqlx::Error::Database(error)
                if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() =>
            {
                result_code::failure(error)
            }
            #[cfg(feature = "postgres")]
            sqlx::Error::Database(error) => sqlstate::failure(error.code().as_deref()),
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::unusable(format!("the column {index} holds a value of the wrong type")).particular(true)
            }
            sqlx::Error::Decode(_) => {
                Self::unusable("a column holds a value of the wrong type").particular(true)
            }
            sqlx::Error::PoolTimedOut => Self::unavailable("no database connection became available in time"),
            sqlx::Error::PoolClosed => Self::unavailable("the store is closed"),
            sqlx::Error::Io(error) => {
                let message = "the connection to the database failed";
                let failure = Self::from(unavailable.with_message(message).with_source(error));
                #[cfg(feature = "postgres")]
                let failure = failure.transient(true);
                failure
            }
            sqlx::Error::Tls(error) => {
                unavailable.with_message("TLS with the database failed").with_source(error).into()
            }
            // Other texts of this kind may quote the URL.
            sqlx::Error::Configuration(error) => match error.downcast::<StoreError>() {
                Ok(error) => Self::from(*error),
                Err(_) => Self::unusable("the database URL, or a file that it names, is invalid"),
            },
            sqlx::Error::Protocol(_) => Self::unavailable("the database sent an unexpected answer"),
            sqlx::Error::RowNotFound => Self::unavailable("the database did not return a row"),
            sqlx::Error::WorkerCrashed => {
                Self::unavailable("the thread of the database connection has ended")
            }
            _ => Self::unavailable("the database request failed"),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        // The text of the error may quote stored data.
        Self::unusable(format!("stored JSON is invalid ({:?})", error.classify())).particular(true)
    }
}

impl From<InvalidId> for Failure {
    fn from(error: InvalidId) -> Self {
        let unusable = StoreError::new(StoreErrorKind::Unusable);
        Self::from(unusable.with_message("a stored id is invalid").with_source(error)).particular(true)
    }
}
