use std::fmt;
use std::sync::Arc;

use internal_notifications_models::Tag;

use crate::store::Committed;

/// How a memory store works.
#[derive(Clone)]
pub struct MemoryOptions {
    pub(super) shared: bool,
    pub(super) committed: Option<Arc<dyn Committed>>,
    pub(super) tags: Arc<dyn Fn() -> Tag + Send + Sync>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { shared: false, committed: None, tags: Arc::new(|| Tag::from_bits(rand::random())) }
    }
}

impl MemoryOptions {
    /// Other stores work on the same data at the same time: what is to be published is leased, for five seconds of the data's clock.
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Who hears of commits.
    pub fn with_committed(mut self, committed: Arc<dyn Committed>) -> Self {
        self.committed = Some(committed);
        self
    }

    /// Where the tags of changes come from; random by default. One that is taken may remain unused.
    pub fn with_tags(mut self, tags: impl Fn() -> Tag + Send + Sync + 'static) -> Self {
        self.tags = Arc::new(tags);
        self
    }
}

impl fmt::Debug for MemoryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOptions").field("shared", &self.shared).finish_non_exhaustive()
    }
}
