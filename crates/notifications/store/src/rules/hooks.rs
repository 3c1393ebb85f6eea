use std::sync::Arc;

use internal_notifications_models::{Tag, UserId};

use crate::CommitListener;

/// Makes the tag of each change.
pub(crate) type MakeTag = dyn Fn() -> Tag + Send + Sync;

/// What the options of every store can replace.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) committed: Option<Arc<dyn CommitListener>>,
    pub(crate) make_tag: Arc<MakeTag>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { committed: None, make_tag: Arc::new(|| Tag::from_bits(rand::random())) }
    }
}

impl Hooks {
    /// Reports a commit that changed the inboxes of these users, if any.
    pub(crate) fn committed<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) {
        let mut users = users.into_iter().peekable();
        if let Some(committed) = self.committed.as_ref().filter(|_| users.peek().is_some()) {
            committed.committed(&mut users);
        }
    }
}

/// The setters of [`Hooks`], for options that have them as `hooks`.
macro_rules! hook_setters {
    () => {
        /// Calls this after each commit, with the users whose inboxes changed.
        pub fn with_commit_listener(mut self, committed: std::sync::Arc<dyn crate::CommitListener>) -> Self {
            self.hooks.committed = Some(committed);
            self
        }

        /// Takes the tags of changes from `make_tag`. For tests: tags must be random, as they are by default.
        pub fn with_tags(
            mut self,
            make_tag: impl Fn() -> internal_notifications_models::Tag + Send + Sync + 'static,
        ) -> Self {
            self.hooks.make_tag = std::sync::Arc::new(make_tag);
            self
        }
    };
}

pub(crate) use hook_setters;
