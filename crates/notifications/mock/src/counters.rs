use internal_notifications_models::{InvalidId, NotificationId, OpId, Tag};

/// Sequential values in place of those that servers and clients draw at random, so that every run
/// is the same. Restoring a backup does not reset them.
#[derive(Default)]
pub(crate) struct Counters {
    ids: u64,
    ops: u64,
    tags: u64,
    devices: u64,
    sessions: u64,
}

impl Counters {
    /// Returns the next notification id that is not taken: a UUID, as every generated id is.
    pub(crate) fn id(
        &mut self,
        is_taken: impl Fn(&NotificationId) -> bool,
    ) -> Result<NotificationId, InvalidId> {
        loop {
            let id = NotificationId::new(format!("00000000-0000-4000-8000-{:012}", next(&mut self.ids)))?;
            if !is_taken(&id) {
                return Ok(id);
            }
        }
    }

    pub(crate) fn op(&mut self) -> Result<OpId, InvalidId> {
        OpId::new(format!("op-{}", next(&mut self.ops)))
    }

    pub(crate) fn tag(&mut self) -> Tag {
        Tag::from_bits(next(&mut self.tags))
    }

    pub(crate) fn device(&mut self) -> u64 {
        next(&mut self.devices)
    }

    pub(crate) fn session(&mut self) -> u64 {
        next(&mut self.sessions)
    }
}

fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}
