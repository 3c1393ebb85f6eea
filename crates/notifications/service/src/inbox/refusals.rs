use std::sync::Arc;

use super::Inbox;
use crate::RefusedWrite;

/// The most refusals that are remembered. An app may never ask for them.
const MAX_REFUSALS: usize = 500;

/// The refusals that the app has not been told of.
impl Inbox {
    /// Remembers that a write was refused, until [`forget_refusals`](Self::forget_refusals). The
    /// write is not sent again. Of more than 500 refusals the oldest are forgotten.
    pub fn remember_refusal(&mut self, refused: Arc<RefusedWrite>) {
        if self.refusals.len() >= MAX_REFUSALS {
            self.refusals.remove(0);
        }
        self.refusals.push(refused);
    }

    /// Returns the refusals that the app may not have been told of, oldest first.
    pub fn refusals(&self) -> &[Arc<RefusedWrite>] {
        &self.refusals
    }

    /// Forgets the refusals, because the app has been told of them.
    pub fn forget_refusals(&mut self) {
        self.refusals.clear();
    }
}
