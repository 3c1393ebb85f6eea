use super::source::SourceError;

/// The failure of a database source, to which errors of sqlx convert.
pub(super) struct Failure(pub(super) SourceError);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        // The text of an sqlx error already contains that of its source.
        Self(SourceError::new("the outbox table cannot be used").with_source(error.to_string()))
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self(error)
    }
}
