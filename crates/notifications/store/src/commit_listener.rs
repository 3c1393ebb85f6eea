use internal_notifications_models::UserId;

/// Receives the users whose inboxes changed, as soon as their changes are durable.
///
/// A dispatcher implements it to publish new changes at once, even if the caller that made them no
/// longer waits.
pub trait CommitListener: Send + Sync + 'static {
    /// Reports a commit that changed the inboxes of these users.
    ///
    /// A store calls it after each commit and before it answers the callers. It must not block.
    /// The dispatcher publishes what a small commit changed ahead of what a large one did, so a
    /// push to many should not share a commit with a push to few.
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>);
}
