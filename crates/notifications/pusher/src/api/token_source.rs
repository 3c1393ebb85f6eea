use async_trait::async_trait;
use internal_notifications_service::ServiceError;

/// Provides the bearer token of each request.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync {
    /// Returns the token.
    async fn token(&self) -> Result<Token, ServiceError>;

    /// Returns a token to use in place of one that the server refused, or none if there is no other
    /// one now.
    async fn replacement(&self, refused: &Token) -> Result<Option<Token>, ServiceError>;

    /// Records that the server accepted the last token, or that another one may be asked for now.
    fn forget_refusals(&self);
}

/// A bearer token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// How often the source had been asked for a fresh token when it returned this one.
    pub(crate) generation: u64,
}

impl Token {
    pub(crate) fn new(text: impl Into<String>, generation: u64) -> Self {
        Self { text: text.into(), generation }
    }
}
