use std::fmt;

use crate::rules::hooks::{Hooks, hook_setters};

/// How a memory store works.
#[derive(Clone)]
pub struct MemoryOptions {
    pub(super) shared: bool,
    pub(super) hooks: Hooks,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { shared: false, hooks: Hooks::default() }
    }
}

impl MemoryOptions {
    /// Other stores work on the same data at the same time: what is to be published is leased, for five seconds of the data's clock.
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    hook_setters!();
}

impl fmt::Debug for MemoryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOptions").field("shared", &self.shared).finish_non_exhaustive()
    }
}
