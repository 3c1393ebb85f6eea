use std::sync::{Arc, PoisonError, RwLock};

/// Whether the Channels engine rejects this server, such as for its credentials. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct EngineStatus(Arc<RwLock<Option<String>>>);

impl EngineStatus {
    /// Returns why the engine rejects this server's requests, if it does. Nothing is published
    /// meanwhile.
    pub fn rejection(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, rejection: Option<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rejection;
    }
}
