use std::collections::VecDeque;

use internal_notifications_models::{Position, Tag};

/// The positions that the replica itself passed through, the newest of them. It holds every change, also those that touched nothing in
/// the window; an event that it does not hold is never taken for a repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed {
    /// The seq of the front.
    first: u64,
    tags: VecDeque<Option<Tag>>,
}

/// A late event of this many changes ago is still known for a repeat; an older one costs a catch-up.
const REMEMBERED: usize = 4_096;

impl Passed {
    /// Forgets everything: the replica is at a position by a snapshot.
    pub(super) fn restart(&mut self, position: Position) {
        self.first = position.seq;
        self.tags = VecDeque::from([position.tag]);
    }

    /// The replica went on to the next position.
    pub(super) fn pass(&mut self, position: Position) {
        self.tags.push_back(position.tag);
        if self.tags.len() > REMEMBERED {
            self.tags.pop_front();
            self.first += 1;
        }
    }

    /// Whether the replica passed through this very position.
    pub(super) fn holds(&self, position: Position) -> bool {
        let index = position.seq.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let tag = index.and_then(|index| self.tags.get(index));
        or_fault!(tag == Some(&position.tag), PassedBySeq => tag.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64) -> Position {
        Position { seq, tag: Some(Tag::from_bits(seq)) }
    }

    #[test]
    fn only_what_was_passed_is_held() {
        let mut passed = Passed::default();
        passed.restart(at(5));
        passed.pass(at(6));
        assert!(passed.holds(at(5)) && passed.holds(at(6)));
        assert!(!passed.holds(at(4)) && !passed.holds(at(7)));
        assert!(!passed.holds(Position { seq: 6, tag: Some(Tag::from_bits(9)) }));
        assert!(!passed.holds(Position { seq: 6, tag: None }));
    }

    #[test]
    fn it_is_bounded() {
        let mut passed = Passed::default();
        passed.restart(at(0));
        (1..=10_000).for_each(|seq| passed.pass(at(seq)));
        assert_eq!(passed.tags.len(), REMEMBERED);
        assert!(passed.holds(at(10_000)) && passed.holds(at(10_001 - REMEMBERED as u64)));
        assert!(!passed.holds(at(10_000 - REMEMBERED as u64)));
    }
}
