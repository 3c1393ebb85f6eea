use std::error::Error as StdError;
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

/// Returns the messages of an error and its causes, separated by colons.
///
/// Leaves out a cause that the message before it already contains, as with libraries that print it.
pub(crate) fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !last.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        last = message;
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Chain(&'static [&'static str], Option<Box<Chain>>);

    impl Chain {
        fn of(messages: &'static [&'static str]) -> Self {
            let cause = (messages.len() > 1).then(|| Box::new(Self::of(&messages[1..])));
            Self(messages, cause)
        }
    }

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0[0])
        }
    }

    impl StdError for Chain {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_ref().map(|cause| cause.as_ref() as _)
        }
    }

    #[test]
    fn each_cause_is_printed_once() {
        for (messages, text) in [
            (&["cannot connect"][..], "cannot connect"),
            (&["cannot connect", "no such host"], "cannot connect: no such host"),
            (&["cannot connect: no such host", "no such host"], "cannot connect: no such host"),
            (&["cannot connect", "dns: no such host", "no such host"], "cannot connect: dns: no such host"),
        ] {
            assert_eq!(with_causes(&Chain::of(messages)), text);
        }
    }
}
