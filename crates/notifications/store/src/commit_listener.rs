use internal_notifications_models::UserId;

/// Learns about new changes as soon as they are durable, even if the caller that made them no longer
/// waits. [`Store::set_commit_listener`](crate::Store::set_commit_listener) sets it.
pub trait CommitListener: Send + Sync + 'static {
    /// The inboxes of these users have new changes. Called after each commit, before the callers get
    /// their answers. Must not block.
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>);
}
