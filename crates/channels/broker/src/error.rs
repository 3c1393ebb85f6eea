/// The error of an event that was not published, or of a setting. The same call fails again.
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
    /// The text is not an [`AllowedOrigin`](crate::AllowedOrigin).
    InvalidOrigin,
    /// The text is not a [`TrustedProxy`](crate::TrustedProxy).
    InvalidProxy,
}

impl Error {
    pub(crate) fn data_too_long(limit: usize) -> Self {
        let text = format!("The data content of this event exceeds the allowed maximum ({limit} bytes)");
        Self { kind: ErrorKind::DataTooLong, text }
    }

    pub(crate) fn invalid_origin(origin: &str) -> Self {
        let text = format!(
            "{origin:?} is not an origin like https://app.example.com or https://*.example.com, or a host like \
             app.example.com"
        );
        Self { kind: ErrorKind::InvalidOrigin, text }
    }

    pub(crate) fn invalid_proxy(proxy: &str) -> Self {
        let text = format!("{proxy:?} is not an address like 10.0.0.7 or a network like 10.0.0.0/8");
        Self { kind: ErrorKind::InvalidProxy, text }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns whether the same call may succeed later: never so far.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::DataTooLong | ErrorKind::InvalidOrigin | ErrorKind::InvalidProxy => false,
        }
    }
}
