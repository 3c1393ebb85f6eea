use std::borrow::Cow;

/// Why something was not signed, or not accepted. The text may be shown to the caller: it holds no secret and never the
/// signature that would have been right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: ErrorKind,
    text: Cow<'static, str>,
}

/// What is wrong, for code to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The channel needs no authorization: a public one, or `#server-to-user-`.
    PublicChannel,
    /// A presence channel without `channel_data`.
    ChannelDataRequired,
    /// `channel_data` is no JSON object with a `user_id`.
    ChannelData,
    /// `channel_data` for a channel whose signature does not cover it.
    UnexpectedChannelData,
    /// `user_data` is no JSON object with an `id` that is a text.
    UserData,
    /// An encrypted channel, and no master key to make its secret from.
    EncryptionKeyRequired,
    /// An encryption master key, or a channel's shared secret, that is not base64 of exactly 32 bytes.
    EncryptionKey,
    /// The data of an encrypted channel's event that is no `{"nonce":…,"ciphertext":…}`.
    #[cfg(feature = "encrypted")]
    Envelope,
    /// Sealed data that this shared secret does not open: another key's, or changed on its way.
    #[cfg(feature = "encrypted")]
    Decryption,
    /// The method or the path of a request cannot be signed.
    Request,
    /// The name or the value of a query parameter cannot be signed.
    Parameter,
    /// A query parameter that only the signer may set.
    ReservedParameter,
    /// The same query parameter twice.
    DuplicateParameter,
    /// A query parameter, or a header of a webhook, that is not there.
    MissingParameter,
    /// The app key is not ours.
    UnknownKey,
    /// `auth_version` is not 1.0.
    Version,
    /// `auth_timestamp` is no number of seconds.
    Timestamp,
    /// `auth_timestamp` is 600 seconds or more away from now, in the past or the future; or a webhook's `time_ms` farther than
    /// allowed.
    Expired,
    /// A webhook that is not sent as `application/json`.
    ContentType,
    /// The body of a webhook that is no JSON object with `time_ms` and `events`.
    WebhookBody,
    /// `body_md5` is not that of the body.
    BodyMd5,
    /// The signature is not ours over what was received.
    Signature,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(crate) fn signature() -> Self {
        Self::new(ErrorKind::Signature, "Invalid signature")
    }

    pub(crate) fn unknown_key() -> Self {
        Self::new(ErrorKind::UnknownKey, "Unknown auth_key")
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
