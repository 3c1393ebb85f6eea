use internal_notifications_models::{Change, ChangesAnswer, InboxPage, Position, ResetReason};
use internal_notifications_service::InboxLog;

/// An answer ends once its bodies have this many bytes.
pub(super) const BYTES: usize = 1024 * 1024;
/// The most notifications of a reset's snapshot.
pub(super) const SNAPSHOT: usize = 200;

/// What a catch-up from a position needs.
pub(super) enum Missed {
    /// Nothing: it is the head.
    Nothing,
    /// The records after it, which [`reset`] judges.
    Records,
    /// A snapshot.
    Reset(ResetReason),
}

/// What is missed after a position, in a log with this head, whose records begin after `floor`.
pub(super) fn missed(after: Position, head: Position, floor: u64) -> Missed {
    if after.seq > head.seq || after.tag.is_some() != (after.seq > 0) {
        return Missed::Reset(ResetReason::Diverged);
    }
    if after.seq < floor {
        return Missed::Reset(ResetReason::Trimmed);
    }
    match after == head {
        true => Missed::Nothing,
        false if after.seq == head.seq => Missed::Reset(ResetReason::Diverged),
        false => Missed::Records,
    }
}

/// Why the records after a position are no answer, if they are none; `first` is the first of them. The tag of a position is known from the record
/// after it, which is there even where its own was trimmed.
pub(super) fn reset(after: Position, head: Position, first: &Change) -> Option<ResetReason> {
    if !first.stamp.follows(after) {
        return Some(ResetReason::Diverged);
    }
    (head.seq - after.seq > InboxLog::FAR_BEHIND).then_some(ResetReason::Behind)
}

/// The answer where there is no inbox.
pub(super) fn of_nobody(after: Position) -> ChangesAnswer {
    match after == Position::default() {
        true => ChangesAnswer::changes(Vec::new(), false),
        false => ChangesAnswer::reset(ResetReason::Diverged, InboxPage::default()),
    }
}
