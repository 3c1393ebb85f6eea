/// The error of an event that was not published. Publishing the same event again fails again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

/// The kind of an [`Error`], for code to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The event's data is longer than [`Limits::event_data`](crate::Limits::event_data).
    DataTooLong,
}

impl Error {
    pub(crate) fn data_too_long(limit: usize) -> Self {
        let text = format!("The data content of this event exceeds the allowed maximum ({limit} bytes)");
        Self { kind: ErrorKind::DataTooLong, text }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns whether the same call may succeed later: never so far.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::DataTooLong => false,
        }
    }
}
