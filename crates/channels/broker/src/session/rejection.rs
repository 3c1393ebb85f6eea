use pusher_protocol::CloseCode;

/// The error event that answers a frame which the broker rejects.
pub(super) struct Rejection {
    pub(super) message: String,
    pub(super) code: Option<CloseCode>,
    pub(super) channel: Option<String>,
}

impl Rejection {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, channel: None }
    }

    /// Creates a rejection that names the channel it is about.
    pub(super) fn of_channel(channel: &str, message: impl Into<String>) -> Self {
        Self { channel: Some(truncated(channel)), ..Self::new(message) }
    }
}

/// The most characters of a client's text that an error repeats.
const MAX_REPEATED: usize = 200;

/// Returns the beginning of a client's text, to repeat it in an error.
pub(super) fn truncated(text: &str) -> String {
    text.chars().take(MAX_REPEATED).collect()
}
