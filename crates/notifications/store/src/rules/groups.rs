/// Items in groups that are worked on together.
///
/// A group that fails is split, until it is known which item makes it fail.
#[derive(Debug)]
pub(crate) struct Groups<T>(
    /// In reverse order.
    Vec<Vec<T>>,
);

impl<T> Groups<T> {
    /// Groups items in their order. The weights of a group add up to at most `most`; an item that
    /// weighs more is alone.
    pub(crate) fn new(items: impl IntoIterator<Item = T>, weight: impl Fn(&T) -> u64, most: u64) -> Self {
        let mut groups: Vec<Vec<T>> = Vec::new();
        let mut sum = 0_u64;
        for item in items {
            sum = sum.saturating_add(weight(&item));
            match groups.last_mut() {
                Some(group) if sum <= most => group.push(item),
                _ => {
                    sum = weight(&item);
                    groups.push(vec![item]);
                }
            }
        }
        groups.reverse();
        Self(groups)
    }

    /// Takes the next group.
    pub(crate) fn take(&mut self) -> Option<Vec<T>> {
        self.0.pop()
    }

    /// Splits a group that failed, or returns its only item.
    pub(crate) fn split(&mut self, mut group: Vec<T>) -> Option<T> {
        let second = group.split_off(group.len() / 2);
        if group.is_empty() {
            return second.into_iter().next();
        }
        self.0.extend([second, group]);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut groups: Groups<u64>) -> Vec<Vec<u64>> {
        std::iter::from_fn(|| groups.take()).collect()
    }

    #[test]
    fn a_group_is_as_heavy_as_allowed_and_a_heavier_item_is_alone() {
        let groups = Groups::new([3, 4, 3, 1, 99, 2, 8, 1], |item| *item, 10);
        assert_eq!(all(groups), [vec![3, 4, 3], vec![1], vec![99], vec![2, 8], vec![1]]);
        assert!(all(Groups::new([], |item| *item, 10)).is_empty());
        assert_eq!(all(Groups::new([u64::MAX, u64::MAX], |item| *item, 10)).len(), 2);
    }

    #[test]
    fn splitting_finds_the_items_that_fail_and_finishes_the_others_in_order() {
        let mut groups = Groups::new(0..100, |_| 1, 100);
        let (mut done, mut failed, mut attempts) = (Vec::new(), Vec::new(), 0);
        while let Some(group) = groups.take() {
            attempts += 1;
            match group.iter().any(|item| [17, 63].contains(item)) {
                true => failed.extend(groups.split(group)),
                false => done.extend(group),
            }
        }
        assert_eq!(failed, [17, 63]);
        assert_eq!(done, (0..100).filter(|item| ![17, 63].contains(item)).collect::<Vec<_>>());
        assert!(attempts < 30, "{attempts}");
    }
}
