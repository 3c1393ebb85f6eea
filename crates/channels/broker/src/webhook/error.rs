/// Why a webhook was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct WebhookError {
    reason: String,
    is_too_large: bool,
}

impl WebhookError {
    /// Creates an error for a webhook to send again later. The log shows the reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_too_large: false }
    }

    /// Creates the error for a response with this status, which is not a 2xx.
    ///
    /// After a 413 (content too large) the events are sent again at once in smaller webhooks, and
    /// an event that is too large by itself is dropped.
    pub fn from_status(status: u16) -> Self {
        Self { reason: format!("the response was {status}"), is_too_large: status == 413 }
    }

    /// Returns whether the same events may be accepted in smaller webhooks only.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }
}

impl From<String> for WebhookError {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}
