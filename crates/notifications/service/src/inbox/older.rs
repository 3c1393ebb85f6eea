use internal_notifications_models::{InboxPage, Position};

use super::{Ask, Inbox, MAX_WINDOW, WindowFull};

/// Notifications below the window.
impl Inbox {
    /// Holds `count` more notifications, older ones. They are wanted from the server, if it has them. Gives how many more it may hold: fewer near
    /// the bound, and none when it holds the oldest already.
    ///
    /// # Errors
    /// [`WindowFull`] when it may hold [`MAX_WINDOW`] already.
    pub fn load_older(&mut self, count: usize) -> Result<usize, WindowFull> {
        if self.loaded && self.window.low() == 0 {
            return Ok(0);
        }
        self.window.grow(count, MAX_WINDOW).ok_or(WindowFull)
    }

    /// Wants `count` fewer again, of what [`load_older`](Self::load_older) gave; those that have come stay.
    pub fn give_up_older(&mut self, count: usize) {
        self.window.shrink(count);
    }

    /// The answer to [`Ask::Older`], asked with `before` when the inbox was at `asked_at`. One that is newer than the replica waits for a catch-up;
    /// one that the replica has passed since is brought up to date with what it did since; one older than `asked_at` is of another history.
    pub fn on_older(&mut self, asked_at: Position, before: u64, page: InboxPage) {
        if !matches!(self.wants(), Some(Ask::Older { .. })) || !self.is_at_low(before) {
            return;
        }
        if page.head.position.seq < asked_at.seq {
            self.catch_up();
        } else if self.passed.holds(page.head.position) {
            self.merge(before, page);
        } else {
            self.held = Some((before, page));
            self.catch_up();
        }
    }

    fn is_at_low(&self, before: u64) -> bool {
        or_fault!(self.window.low() == before, LowNotCompared => true)
    }

    /// Adds an older page, unless the window has changed below since it was asked for, or it was read too long ago: then it is wanted again.
    pub(super) fn merge(&mut self, before: u64, page: InboxPage) {
        let next = page.next.unwrap_or(0);
        if !self.is_at_low(before) || next >= before {
            return;
        }
        let read_at = page.head.position.seq;
        let rows = or_fault!(self.recent.replay(read_at, page.notifications), PageNotReplayed => Some(page.notifications));
        if let Some(rows) = rows {
            self.window.extend(rows, next);
        }
    }
}
