use std::sync::Arc;

use internal_notifications_models::Tag;

/// Makes the tag of each change.
pub(crate) type MakeTag = dyn Fn() -> Tag + Send + Sync;

/// What the options of every store can replace.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) make_tag: Arc<MakeTag>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { make_tag: Arc::new(|| Tag::from_bits(rand::random())) }
    }
}

/// The setters of [`Hooks`], for options that have them as `hooks`.
macro_rules! hook_setters {
    () => {
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
