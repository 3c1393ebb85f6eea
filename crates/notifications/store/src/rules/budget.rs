/// The bytes of bodies after which an answer ends.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// The most notifications of the snapshot in a reset.
pub(crate) const SNAPSHOT: usize = 200;

/// Bounds the items of one answer, in number and in bytes.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    items: usize,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, items: 0, bytes: 0 }
    }

    /// Returns whether the next item fits, and counts it if so.
    ///
    /// The first item fits whatever its size, so that no answer is empty because of it.
    pub(crate) fn admits(&mut self, bytes: usize) -> bool {
        let bytes = self.bytes + bytes;
        if self.items == self.limit || (self.items > 0 && bytes > MAX_BYTES) {
            return false;
        }
        self.items += 1;
        self.bytes = bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_admits_its_limit_of_items() {
        let mut budget = Budget::new(2);
        assert_eq!([1, 0, 0].map(|bytes| budget.admits(bytes)), [true, true, false]);
        assert!(!Budget::new(0).admits(0));
    }

    #[test]
    fn a_budget_admits_items_until_their_sum_exceeds_a_mebibyte() {
        let mut budget = Budget::new(9);
        assert_eq!(
            [MAX_BYTES - 1, 1, 0, 1, 0].map(|bytes| budget.admits(bytes)),
            [true, true, true, false, true]
        );
    }

    #[test]
    fn a_budget_admits_the_first_item_whatever_its_size() {
        let mut budget = Budget::new(9);
        assert_eq!([MAX_BYTES + 1, 0].map(|bytes| budget.admits(bytes)), [true, false]);
        let mut budget = Budget::new(9);
        assert_eq!([0, MAX_BYTES + 1].map(|bytes| budget.admits(bytes)), [true, false]);
    }
}
