use std::io;
use std::net::SocketAddr;

use crate::config::ConfigError;
use crate::store::StoreError;

/// Why a server did not start, or why it has to be started again. Its cause is the
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Cause);

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration cannot be used.
    Configuration,
    /// The server cannot listen on the configured address.
    Listen,
    /// The database cannot be used.
    Store,
    /// There is no secret to sign tokens with.
    NoSecret,
    /// A task of the running server ended unexpectedly.
    TaskEnded,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Config(ConfigError),
    #[error("the configured Channels engine cannot be used")]
    Engine(#[source] pusher_client::Error),
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    #[error(transparent)]
    Store(StoreError),
    #[error("{0}")]
    NoSecret(String),
    #[error("the task `{0}` ended unexpectedly")]
    TaskEnded(String),
}

impl Error {
    pub(crate) fn engine(error: pusher_client::Error) -> Self {
        Self(Cause::Engine(error))
    }

    pub(crate) fn listen(address: SocketAddr, error: io::Error) -> Self {
        Self(Cause::Listen(address, error))
    }

    pub(crate) fn no_secret(text: impl Into<String>) -> Self {
        Self(Cause::NoSecret(text.into()))
    }

    pub(crate) fn task_ended(name: impl Into<String>) -> Self {
        Self(Cause::TaskEnded(name.into()))
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            Cause::Config(_) | Cause::Engine(_) => ErrorKind::Configuration,
            Cause::Listen(..) => ErrorKind::Listen,
            Cause::Store(_) => ErrorKind::Store,
            Cause::NoSecret(_) => ErrorKind::NoSecret,
            Cause::TaskEnded(_) => ErrorKind::TaskEnded,
        }
    }

    /// Returns whether the same call may succeed later without a change to the configuration.
    pub fn is_retryable(&self) -> bool {
        matches!(&self.0, Cause::Store(error) if error.is_retryable())
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self(Cause::Config(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self(Cause::Store(error))
    }
}
