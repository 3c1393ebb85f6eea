use internal_notifications_models::UserId;

/// Who wants to know of new changes as soon as they are durable, whether or not the caller that made them still waits: the dispatcher.
pub trait Committed: Send + Sync + 'static {
    /// The inboxes of these users have new changes. Called after each commit and before its callers are answered: it must not block.
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>);
}
