use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use internal_notifications_models::UserId;

use crate::CommitListener;

/// The commit listener of a store, if it has one.
#[derive(Default)]
pub(crate) struct ListenerSlot(RwLock<Option<Arc<dyn CommitListener>>>);

impl ListenerSlot {
    pub(crate) fn set(&self, listener: Arc<dyn CommitListener>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Reports a commit that changed the inboxes of these users, if any.
    pub(crate) fn committed<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) {
        let mut users = users.into_iter().peekable();
        if users.peek().is_none() {
            return;
        }
        if let Some(listener) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            listener.committed(&mut users);
        }
    }
}

impl fmt::Debug for ListenerSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerSlot").finish_non_exhaustive()
    }
}
