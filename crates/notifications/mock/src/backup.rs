use std::fmt;

use crate::inboxes::Inboxes;

/// A copy of all inboxes at one moment, made by [`MockHub::backup`](crate::MockHub::backup).
/// `Debug` shows no notification.
#[derive(Clone)]
pub struct Backup(pub(crate) Inboxes);

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").finish_non_exhaustive()
    }
}
