use super::failure::Failure;

/// Runs parts of work in order, each in one go, and returns the answer of each item.
///
/// If a part fails for a reason that may lie in one of its items, its halves run apart, so that
/// finally this item fails alone. Any other failure fails everything that is left, so that no item
/// overtakes another.
pub(crate) async fn run<T: Clone, A, F>(
    parts: Vec<Vec<T>>,
    run: impl Fn(Vec<T>) -> F,
) -> Vec<Result<A, Failure>>
where
    F: Future<Output = Result<Vec<A>, Failure>>,
{
    let mut answers = Vec::new();
    let mut left = parts;
    left.reverse();
    while let Some(mut part) = left.pop() {
        let failure = match run(part.clone()).await {
            Ok(done) => {
                answers.extend(done.into_iter().map(Ok));
                continue;
            }
            Err(failure) => failure,
        };
        if !failure.is_particular() {
            let failed = part.len() + left.iter().map(Vec::len).sum::<usize>();
            answers.extend(std::iter::repeat_n(failure, failed).map(Err));
            break;
        }
        if part.len() > 1 {
            let second = part.split_off(part.len() / 2);
            left.extend([second, part]);
        } else {
            answers.push(Err(failure));
        }
    }
    answers
}

/// Splits items into parts, each of which weighs at most `weight` or is a single item, and has at
/// most `count` items.
pub(crate) fn split<T>(
    items: impl IntoIterator<Item = T>,
    (count, weight): (usize, usize),
    weigh: impl Fn(&T) -> usize,
) -> Vec<Vec<T>> {
    let (mut parts, mut part, mut sum) = (Vec::new(), Vec::new(), 0);
    for item in items {
        let weighs = weigh(&item);
        if !part.is_empty() && (sum + weighs > weight || part.len() == count) {
            parts.push(std::mem::take(&mut part));
            sum = 0;
        }
        sum += weighs;
        part.push(item);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn parts_are_bounded_by_their_count_and_weight() {
        assert_eq!(
            split([1, 2, 9, 3, 1, 1, 1], (3, 5), |n| *n),
            [vec![1, 2], vec![9], vec![3, 1, 1], vec![1]]
        );
        assert!(split([0; 0], (3, 5), |n| *n).is_empty());
    }

    #[tokio::test]
    async fn an_item_at_fault_fails_alone_and_the_others_run_in_order() {
        let stored = RefCell::new(Vec::new());
        let answers = run(vec![(0..4).collect(), (4..9).collect()], async |part: Vec<u32>| {
            if part.contains(&5) {
                return Err(Failure::unavailable("no").particular(true));
            }
            stored.borrow_mut().extend(part.clone());
            Ok(part)
        })
        .await;
        let done: Vec<_> = answers.into_iter().map(Result::ok).collect();
        assert_eq!(done, (0..9).map(|n| (n != 5).then_some(n)).collect::<Vec<_>>());
        assert_eq!(*stored.borrow(), [0, 1, 2, 3, 4, 6, 7, 8]);
    }

    #[tokio::test]
    async fn an_outage_fails_all_that_are_left() {
        let calls = RefCell::new(0);
        let answers = run(vec![vec![1, 2], vec![3, 4], vec![5]], async |part: Vec<u32>| {
            *calls.borrow_mut() += 1;
            if part.contains(&3) { Err(Failure::unavailable("down")) } else { Ok(part) }
        })
        .await;
        let done: Vec<_> = answers.into_iter().map(Result::ok).collect();
        assert_eq!((done, calls.into_inner()), (vec![Some(1), Some(2), None, None, None], 2));
    }
}
