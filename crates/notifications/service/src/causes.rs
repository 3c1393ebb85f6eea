use std::error::Error;

/// Returns the messages of an error and of its causes, separated by colons: a text for people.
///
/// An error's `Display` leaves out its cause. A cause is left out here if the message before it
/// already contains it, as with libraries that print it.
///
/// ```
/// use internal_notifications_service::{ServiceError, ServiceErrorKind, with_causes};
///
/// let cause = std::io::Error::other("connection refused");
/// let error = ServiceError::new(ServiceErrorKind::Unavailable, "the server cannot be reached");
/// let text = with_causes(&error.with_source(cause));
/// assert_eq!(text, "the server cannot be reached: connection refused");
/// ```
pub fn with_causes(error: &dyn Error) -> String {
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
    use std::fmt;

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

    impl Error for Chain {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
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
