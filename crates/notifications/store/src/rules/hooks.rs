use std::sync::Arc;

use internal_notifications_models::{Tag, UserId};

use crate::CommitListener;

/// Makes the tag of each change.
pub(crate) type MakeTag = dyn Fn() -> Tag + Send + Sync;

/// What the options of every store can replace.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) commit_listener: Option<Arc<dyn CommitListener>>,
    pub(crate) make_tag: Arc<MakeTag>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { commit_listener: None, make_tag: Arc::new(|| Tag::from_bits(rand::random())) }
    }
}

impl Hooks {
    /// Reports a commit that changed the inboxes of these users, if there are any.
    pub(crate) fn committed<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) {
        let mut users = users.into_iter().peekable();
        if let Some(listener) = self.commit_listener.as_ref().filter(|_| users.peek().is_some()) {
            listener.committed(&mut users);
        }
    }
}

/// The setters of [`Hooks`], for options that have them in a field `hooks`.
macro_rules! hook_setters {
    () => {
        /// Reports each commit to this listener.
        pub fn with_commit_listener(mut self, listener: std::sync::Arc<dyn crate::CommitListener>) -> Self {
            self.hooks.commit_listener = Some(listener);
            self
        }

        /// Takes the tags of changes from `make_tag`.
        ///
        /// This is for tests: tags must be random, as they are by default.
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
