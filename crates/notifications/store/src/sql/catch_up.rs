use internal_notifications_models::{Change, ChangesAnswer, InboxPage, Position, ResetReason};
use internal_notifications_service::InboxLog;

/// What a catch-up from a position needs.
pub(crate) enum Missed {
    /// Nothing: it is the head.
    Nothing,
    /// The records after it, which [`reset`] judges.
    Records,
    /// A snapshot.
    Reset(ResetReason),
}

/// What is missed after a position, in a log with this head, whose records begin after `floor`.
pub(crate) fn missed(after: Position, head: Position, floor: u64) -> Missed {
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
pub(crate) fn reset(after: Position, head: Position, first: &Change) -> Option<ResetReason> {
    if !first.stamp.follows(after) {
        return Some(ResetReason::Diverged);
    }
    (head.seq - after.seq > InboxLog::FAR_BEHIND).then_some(ResetReason::Behind)
}

/// The answer where there is no inbox.
pub(crate) fn of_nobody(after: Position) -> ChangesAnswer {
    match after == Position::default() {
        true => ChangesAnswer::changes(Vec::new(), false),
        false => ChangesAnswer::reset(ResetReason::Diverged, InboxPage::default()),
    }
}
