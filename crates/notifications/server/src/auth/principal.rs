use std::fmt;

use internal_notifications_models::{Timestamp, UserId};

/// An identified caller. Its `Display` form, `user:ID` or `key:NAME`, becomes the `sender` of what
/// it pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Principal {
    /// An app user.
    #[non_exhaustive]
    User {
        /// The user's id.
        id: UserId,
        /// Whether [`PushScope`](super::PushScope), the default policy, lets the user push.
        may_push: bool,
        /// When the user's credential expires, if ever. Sockets that it authorized are closed then.
        expires_at: Option<Timestamp>,
    },
    /// A backend.
    #[non_exhaustive]
    Key {
        /// The name of its API key.
        name: String,
    },
}

impl Principal {
    /// Returns an app user who may not push and whose credential does not expire.
    pub fn user(id: UserId) -> Self {
        Self::User { id, may_push: false, expires_at: None }
    }

    /// Returns a backend with an API key of this name.
    pub fn key(name: impl Into<String>) -> Self {
        Self::Key { name: name.into() }
    }

    /// Sets whether the default policy lets this app user push. Backends always may.
    #[must_use]
    pub fn with_push(mut self, allowed: bool) -> Self {
        if let Self::User { may_push, .. } = &mut self {
            *may_push = allowed;
        }
        self
    }

    /// Sets when this app user's credential expires. API keys do not expire.
    #[must_use]
    pub fn with_expiry(mut self, at: Timestamp) -> Self {
        if let Self::User { expires_at, .. } = &mut self {
            *expires_at = Some(at);
        }
        self
    }

    /// Returns the id of an app user, and `None` for a backend.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::Key { .. } => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { id, .. } => write!(f, "user:{id}"),
            Self::Key { name } => write!(f, "key:{name}"),
        }
    }
}
