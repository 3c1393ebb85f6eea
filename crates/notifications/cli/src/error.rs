use std::fmt;
use std::io;

/// Why the command ends: one line that says what is wrong and what to do.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line or the configuration cannot be used.
    Usage(String),
    /// What was asked for did not happen.
    Failed(String),
    /// Nobody reads our output any more: nothing to say, and nobody to say it to.
    Closed,
}

impl Error {
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    pub(crate) fn failed(text: impl fmt::Display) -> Self {
        Self::Failed(text.to_string())
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
            Self::Closed => 0,
        }
    }

    /// What to say; nothing when there is nobody to say it to.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Usage(text) | Self::Failed(text) => Some(text),
            Self::Closed => None,
        }
    }
}

/// Only output is written through `io`.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(format!("cannot write the output: {error}")),
        }
    }
}
