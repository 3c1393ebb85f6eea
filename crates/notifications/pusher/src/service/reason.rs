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
