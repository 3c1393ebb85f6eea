use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The error of signing and verifying.
///
/// Its text may be shown to the caller: it contains neither a secret nor the correct signature.
/// Errors are equal if kind and text are.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    text: Cow<'static, str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an [`Error`], for code to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The channel needs no authorization: it is public or `#server-to-user-`.
    PublicChannel,
    /// A presence channel needs `channel_data`.
    ChannelDataRequired,
    /// `channel_data` is not a JSON object with a `user_id`, or breaks one of Pusher's limits.
    ChannelData,
    /// `channel_data` was given for a channel whose signature does not cover it.
    UnexpectedChannelData,
    /// `user_data` is not a JSON object with a string `id`, or breaks one of Pusher's limits.
    UserData,
    /// The body of a request to an auth endpoint is not one.
    AuthRequest,
    /// A URL is not of the form of `PUSHER_URL`.
    Url,
    /// An encrypted channel needs the encryption master key.
    EncryptionKeyRequired,
    /// An encryption master key or shared secret is not base64 of exactly 32 bytes.
    EncryptionKey,
    /// The data of an encrypted channel's event is not `{"nonce":…,"ciphertext":…}`.
    #[cfg(feature = "encrypted")]
    Envelope,
    /// The shared secret does not decrypt the data: it is another key, or the data was changed.
    #[cfg(feature = "encrypted")]
    Decryption,
    /// The method or path of a request cannot be signed.
    Request,
    /// The name or value of a query parameter cannot be signed.
    Parameter,
    /// A query parameter is one that only the signer sets.
    ReservedParameter,
    /// A query parameter occurs twice.
    DuplicateParameter,
    /// A query parameter, or a header of a webhook, is missing.
    MissingParameter,
    /// The app key is not the signer's.
    UnknownKey,
    /// `auth_version` is not 1.0.
    Version,
    /// `auth_timestamp` is not a number of seconds.
    Timestamp,
    /// `auth_timestamp` differs from now by 600 seconds or more, or a webhook's `time_ms` by more
    /// than allowed.
    Expired,
    /// The content type of a webhook is not `application/json`.
    ContentType,
    /// The body of a webhook is not a JSON object with `time_ms` and `events`.
    WebhookBody,
    /// `body_md5` does not match the body.
    BodyMd5,
    /// The signature does not match the received data.
    Signature,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    pub(crate) fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Sets why a JSON text could not be read, without the values in it.
    pub(crate) fn with_json_source(self, error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        match error.is_data() {
            true => self.with_source(WrongValue { line, column }),
            false => self.with_source(error),
        }
    }

    // The texts of Pusher's own servers.
    pub(crate) fn signature() -> Self {
        Self::new(ErrorKind::Signature, "Invalid signature")
    }

    pub(crate) fn unknown_key() -> Self {
        Self::new(ErrorKind::UnknownKey, "Unknown auth_key")
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Stands for an error of serde_json that may quote the text.
#[derive(Debug, thiserror::Error)]
#[error("a value is missing or has the wrong type, at line {line}, column {column}")]
struct WrongValue {
    line: usize,
    column: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("text", &self.text).finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.text) == (other.kind, &other.text)
    }
}

impl Eq for Error {}
