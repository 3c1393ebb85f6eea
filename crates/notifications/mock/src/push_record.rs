use internal_notifications_models::{InternalNotification, Receipt, UserId};

/// A push that the hub stored: [`MockHub::pushes`](crate::MockHub::pushes).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PushRecord {
    /// Who pushed: `user:ID` or `key:NAME`.
    pub sender: String,
    /// Whom to, as it was asked.
    pub user_ids: Vec<UserId>,
    /// What, as it was asked.
    pub notification: InternalNotification,
    /// What the hub answered.
    pub receipt: Receipt,
}
