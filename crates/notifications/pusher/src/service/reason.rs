use std::error::Error;

/// Returns the messages of an error and its causes, separated by colons, for a status.
///
/// Leaves out a cause that the message before it already contains, as with libraries that print it.
pub(crate) fn reason(error: &dyn Error) -> String {
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
    use internal_notifications_service::{ServiceError, ServiceErrorKind};

    use super::*;

    #[test]
    fn each_cause_appears_once() {
        let error = |message: &str| ServiceError::new(ServiceErrorKind::Unavailable, message);
        let unreachable = error("the server cannot be reached");
        assert_eq!(reason(&unreachable), "the server cannot be reached");
        let dns = error("dns: no such host").with_source(error("no such host"));
        let text = "the server cannot be reached: dns: no such host";
        assert_eq!(reason(&unreachable.with_source(dns)), text);
    }
}
