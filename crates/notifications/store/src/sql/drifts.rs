use std::sync::{Mutex, PoisonError};

use crate::Drift;

/// The drifts that were repaired and not reported yet.
///
/// A sweep may fail after it has repaired some. The next one that succeeds reports them.
#[derive(Debug, Default)]
pub(crate) struct Drifts(Mutex<Vec<Drift>>);

impl Drifts {
    pub(crate) fn add(&self, drifts: Vec<Drift>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(drifts);
    }

    /// Takes all, to report them.
    pub(crate) fn take(&self) -> Vec<Drift> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
