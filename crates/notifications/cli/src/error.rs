use std::fmt;
use std::io;

/// Why the command ends without success. The message is one line: what is wrong and what to do.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// The operation failed.
    Failed(String),
    /// The output was closed by its reader, so there is nothing to report.
    OutputClosed,
}

impl Error {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::Failed(message.to_string())
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
            Self::OutputClosed => 0,
        }
    }

    /// Returns the message to print, if any.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Usage(message) | Self::Failed(message) => Some(message),
            Self::OutputClosed => None,
        }
    }
}

/// Converts an error of writing the output, the only use of `io` that `?` converts.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Failed(format!("cannot write the output: {error}")),
        }
    }
}
