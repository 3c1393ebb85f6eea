use internal_notifications_models::{Change, UserId};

/// How much [`Store::claim_unpublished`](crate::Store::claim_unpublished) returns.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PublishLimits {
    /// The most changes of one user. If a user has more, only the newest change is returned.
    pub changes: usize,
    /// The most bytes of a body. A change with a larger one is returned as
    /// [`Gone`](internal_notifications_models::ChangeKind::Gone).
    pub body_bytes: usize,
}

/// The unpublished changes of one user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unpublished {
    /// The user.
    pub user_id: UserId,
    /// The changes in order of their seq: all of them, or only the newest if the user is far
    /// behind.
    pub changes: Vec<Change>,
    /// Whether there were more than [`PublishLimits::changes`].
    pub far_behind: bool,
}

impl PublishLimits {
    /// Creates limits.
    pub const fn new(changes: usize, body_bytes: usize) -> Self {
        Self { changes, body_bytes }
    }
}

impl Unpublished {
    /// Creates the unpublished changes of a user.
    pub fn new(user_id: UserId, changes: Vec<Change>, far_behind: bool) -> Self {
        Self { user_id, changes, far_behind }
    }
}
