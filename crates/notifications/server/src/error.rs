use std::io;

use crate::config::ConfigError;
use crate::store::StoreError;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration cannot be used.
    Configuration,
    /// The address cannot be listened on.
    Listen,
    /// The database cannot be used.
    Store,
    /// There is no secret to make tokens with.
    NoSecret,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(crate) fn listen(address: std::net::SocketAddr, error: &io::Error) -> Self {
        Self::new(ErrorKind::Listen, format!("cannot listen on {address}: {error}"))
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::Configuration, error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self::new(ErrorKind::Store, text)
    }
}
