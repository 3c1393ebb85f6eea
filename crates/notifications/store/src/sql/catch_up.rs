use internal_notifications_models::{Change, ChangesAnswer, InboxPage, Position, ResetReason};
use internal_notifications_service::InboxLog;

/// What a catch-up after a position needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CatchUp {
    /// The position is the head.
    Nothing,
    /// The records after the position, unless [`reset_reason`] rejects them.
    Records,
    /// A snapshot.
    Reset(ResetReason),
}

/// Returns what a catch-up needs in a log with this head, whose records start after `floor`.
pub(crate) fn catch_up(after: Position, head: Position, floor: u64) -> CatchUp {
    if after.seq > head.seq || after.tag.is_some() != (after.seq > 0) {
        return CatchUp::Reset(ResetReason::Diverged);
    }
    if after.seq < floor {
        return CatchUp::Reset(ResetReason::Trimmed);
    }
    match after == head {
        true => CatchUp::Nothing,
        false if after.seq == head.seq => CatchUp::Reset(ResetReason::Diverged),
        false => CatchUp::Records,
    }
}

/// Returns why a snapshot is needed instead of the records after a position, if it is.
///
/// `first` is the first of these records. It carries the tag of the position, so that the position
/// is checked even if its own record was trimmed.
pub(crate) fn reset_reason(after: Position, head: Position, first: &Change) -> Option<ResetReason> {
    if !first.stamp.follows(after) {
        return Some(ResetReason::Diverged);
    }
    (head.seq - after.seq > InboxLog::FAR_BEHIND).then_some(ResetReason::Behind)
}

/// Returns the changes of an inbox that never had one.
pub(crate) fn of_missing_inbox(after: Position) -> ChangesAnswer {
    match after == Position::default() {
        true => ChangesAnswer::changes(Vec::new(), false),
        false => ChangesAnswer::reset(ResetReason::Diverged, InboxPage::default()),
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::{ChangeKind, Stamp, Tag, Timestamp};

    use super::*;

    fn position(seq: u64, tag: u64) -> Position {
        Position { seq, tag: Some(Tag::from_bits(tag)) }
    }

    fn first_after(position: Position) -> Change {
        let stamp = Stamp::after(position, Tag::from_bits(99), 0, Timestamp::UNIX_EPOCH);
        Change::new(stamp, ChangeKind::OpenedAll { through: 1 })
    }

    #[test]
    fn the_head_needs_nothing_and_an_earlier_position_needs_the_records() {
        let head = position(5, 50);
        assert_eq!(catch_up(head, head, 0), CatchUp::Nothing);
        assert_eq!(catch_up(position(4, 40), head, 4), CatchUp::Records);
        assert_eq!(catch_up(Position::default(), head, 0), CatchUp::Records);
    }

    #[test]
    fn a_position_below_the_floor_is_trimmed() {
        assert_eq!(catch_up(position(3, 30), position(5, 50), 4), CatchUp::Reset(ResetReason::Trimmed));
        assert_eq!(catch_up(Position::default(), position(5, 50), 1), CatchUp::Reset(ResetReason::Trimmed));
    }

    #[test]
    fn a_position_of_another_history_has_diverged() {
        let head = position(5, 50);
        let without_tag = Position { seq: 3, tag: None };
        for diverged in [position(6, 60), position(5, 51), position(0, 1), without_tag] {
            assert_eq!(catch_up(diverged, head, 0), CatchUp::Reset(ResetReason::Diverged), "{diverged:?}");
        }
    }

    #[test]
    fn the_first_record_must_follow_the_position() {
        let (after, head) = (position(3, 30), position(9, 90));
        assert_eq!(reset_reason(after, head, &first_after(after)), None);
        let other = position(3, 31);
        assert_eq!(reset_reason(after, head, &first_after(other)), Some(ResetReason::Diverged));
        let gap = position(4, 40);
        assert_eq!(reset_reason(after, head, &first_after(gap)), Some(ResetReason::Diverged));
    }

    #[test]
    fn a_client_that_missed_too_much_is_behind() {
        let after = position(3, 30);
        let [last, beyond] = [0, 1].map(|more| position(3 + InboxLog::FAR_BEHIND + more, 90));
        assert_eq!(reset_reason(after, last, &first_after(after)), None);
        assert_eq!(reset_reason(after, beyond, &first_after(after)), Some(ResetReason::Behind));
    }

    #[test]
    fn a_missing_inbox_is_empty_and_any_other_position_of_it_has_diverged() {
        let empty = ChangesAnswer::changes(Vec::new(), false);
        assert_eq!(of_missing_inbox(Position::default()), empty);
        let reset = ChangesAnswer::reset(ResetReason::Diverged, InboxPage::default());
        assert_eq!(of_missing_inbox(position(1, 10)), reset);
    }
}
