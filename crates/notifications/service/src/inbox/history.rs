use std::collections::VecDeque;

use internal_notifications_models::{Position, Tag};

/// The newest positions that the replica has been at.
///
/// It records every change, also one that touched nothing in the window. Only an event of a
/// recorded position is a repeat.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct History {
    /// The seq of the first tag.
    first: u64,
    tags: VecDeque<Option<Tag>>,
}

/// How many positions are recorded. A repeat of an older event costs a catch-up.
const MAX_POSITIONS: usize = 4_096;

impl History {
    /// Starts again at the position of a snapshot.
    pub(super) fn restart(&mut self, position: Position) {
        self.first = position.seq;
        self.tags = VecDeque::from([position.tag]);
    }

    /// Records the next position.
    pub(super) fn push(&mut self, position: Position) {
        self.tags.push_back(position.tag);
        if self.tags.len() > MAX_POSITIONS {
            self.tags.pop_front();
            self.first += 1;
        }
    }

    /// Returns whether the replica has been at a position.
    pub(super) fn contains(&self, position: Position) -> bool {
        let index = position.seq.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let tag = index.and_then(|index| self.tags.get(index));
        planted!(PassedBySeq => return tag.is_some());
        tag == Some(&position.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64) -> Position {
        Position { seq, tag: Some(Tag::from_bits(seq)) }
    }

    #[test]
    fn only_recorded_positions_are_known() {
        let mut history = History::default();
        history.restart(at(5));
        history.push(at(6));
        assert!(history.contains(at(5)) && history.contains(at(6)));
        assert!(!history.contains(at(4)) && !history.contains(at(7)));
        assert!(!history.contains(Position { seq: 6, tag: Some(Tag::from_bits(9)) }));
        assert!(!history.contains(Position { seq: 6, tag: None }));
    }

    #[test]
    fn the_oldest_positions_are_forgotten() {
        let mut history = History::default();
        history.restart(at(0));
        (1..=10_000).for_each(|seq| history.push(at(seq)));
        assert_eq!(history.tags.len(), MAX_POSITIONS);
        assert!(history.contains(at(10_000)) && history.contains(at(10_001 - MAX_POSITIONS as u64)));
        assert!(!history.contains(at(10_000 - MAX_POSITIONS as u64)));
    }
}
