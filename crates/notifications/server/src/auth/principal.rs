use std::fmt;

use internal_notifications_models::{Timestamp, UserId};

/// Who calls. As text it is the `sender` of a notification: `user:ID` or `key:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Principal {
    /// An app user, with a token.
    User {
        /// The user.
        id: UserId,
        /// Whether the token has the scope to push.
        may_push: bool,
        /// Until when what the user called with is good, if it ends: as long last the sockets that it authorizes.
        until: Option<Timestamp>,
    },
    /// A backend, with an API key.
    Key {
        /// The name of the key.
        name: String,
    },
}

impl Principal {
    /// The app user that calls; none for a backend.
    pub fn user(&self) -> Option<&UserId> {
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
