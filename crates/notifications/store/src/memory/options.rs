use std::fmt;

use crate::rules::hooks::{Hooks, hook_setters};

/// Options of a [`MemoryStore`](super::MemoryStore).
#[derive(Clone, Default)]
pub struct MemoryOptions {
    pub(super) shared: bool,
    pub(super) hooks: Hooks,
}

impl MemoryOptions {
    /// Sets whether other stores work on the same data at the same time. If so, inboxes are leased
    /// for publishing, for five seconds of the data's clock. Default: false.
    pub fn with_shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    hook_setters!();
}

impl fmt::Debug for MemoryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOptions").field("shared", &self.shared).finish_non_exhaustive()
    }
}
