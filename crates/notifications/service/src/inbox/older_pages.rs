use internal_notifications_models::{InboxPage, Position};

use super::{Inbox, InboxQuery};

/// The most notifications that a replica can hold.
pub const MAX_WINDOW: usize = 5_000;

/// The replica holds as many notifications as it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list cannot hold more than {MAX_WINDOW} notifications")]
pub struct WindowFull;

/// Loading older notifications.
impl Inbox {
    /// Extends the window by `count` older notifications, which [`next_query`](Self::next_query)
    /// then requests. Returns by how many: fewer near [`MAX_WINDOW`], and 0 if the replica has the
    /// oldest.
    ///
    /// # Errors
    /// Returns [`WindowFull`] if the window is [`MAX_WINDOW`] already.
    pub fn load_older(&mut self, count: usize) -> Result<usize, WindowFull> {
        if self.is_loaded && self.window.low() == 0 {
            return Ok(0);
        }
        self.window.grow(count, MAX_WINDOW).ok_or(WindowFull)
    }

    /// Shrinks the window by `count`, which [`load_older`](Self::load_older) had extended.
    /// Notifications that have arrived stay.
    pub fn cancel_older(&mut self, count: usize) {
        self.window.shrink(count);
    }

    /// Handles the answer to [`InboxQuery::Older`] with `before`, sent when the inbox was at
    /// `asked_at`.
    ///
    /// A page newer than the replica waits for a catch-up. A page from a position that the replica
    /// has passed is brought up to date with the changes since then. A page older than `asked_at`
    /// comes from another history.
    pub fn on_older(&mut self, asked_at: Position, before: u64, page: InboxPage) {
        if !matches!(self.next_query(), Some(InboxQuery::Older { .. })) || !self.is_at_low(before) {
            return;
        }
        if page.head.position.seq < asked_at.seq {
            self.catch_up();
        } else if self.history.contains(page.head.position) {
            self.merge(before, page);
        } else {
            self.early_page = Some((before, page));
            self.catch_up();
        }
    }

    fn is_at_low(&self, before: u64) -> bool {
        planted!(LowNotCompared => return true);
        self.window.low() == before
    }

    /// Adds an older page. If the low end of the window has moved since the query, or the page was
    /// read too long ago, it is dropped, and the next query is for the same notifications.
    pub(super) fn merge(&mut self, before: u64, page: InboxPage) {
        let next = page.next.unwrap_or(0);
        if !self.is_at_low(before) || next >= before {
            return;
        }
        planted!(PageNotReplayed => return self.window.extend(page.notifications, next));
        if let Some(rows) = self.recent_changes.replay(page.head.position.seq, page.notifications) {
            self.window.extend(rows, next);
        }
    }
}
