use internal_notifications_models::{InternalNotification, Receipt, UserId};

/// A push that the hub stored, as [`MockHub::pushes`](crate::MockHub::pushes) returns it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PushRecord {
    /// The sender: `user:ID` or `key:NAME`.
    pub sender: String,
    /// The recipients, as the sender named them.
    pub user_ids: Vec<UserId>,
    /// The notification, as the sender wrote it.
    pub notification: InternalNotification,
    /// The hub's answer.
    pub receipt: Receipt,
}
