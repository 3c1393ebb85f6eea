use std::sync::{Mutex, PoisonError};

/// A place in the order of what is due: the due time and the key of a notification.
pub(crate) type Place = (i64, i64);

const START: Place = (i64::MIN, i64::MIN);

/// Goes through the due notifications in rounds, so that one for few users does not wait until one
/// for many is finished.
///
/// Each step takes the next notifications, and a [`share`] of its limit from each of them. The next
/// round continues with what is left.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// The place of the last notification of the previous step.
    after: Mutex<Place>,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { after: Mutex::new(START) }
    }
}

impl Rounds {
    /// Returns the places after which to look for due notifications, until there are some.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let after = *self.after.lock().unwrap_or_else(PoisonError::into_inner);
        [after, START].into_iter().take(if after == START { 1 } else { 2 })
    }

    /// Sets the place after which the next step continues: `last` if there may be more due
    /// notifications after it, else the start.
    pub(crate) fn continue_after(&self, last: Option<Place>) {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = last.unwrap_or(START);
    }

    /// Returns the next due notifications, at most `limit`, and whether the round continues after
    /// them. `read` returns those after a place.
    ///
    /// Those that begin a new round because the last one had ended do not continue it. So a caller
    /// that repeats steps for as long as a round continues does not go round for ever.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn next<T, E, F>(
        &self,
        limit: usize,
        place: fn(&T) -> Place,
        read: impl Fn(Place) -> F,
    ) -> Result<(Vec<T>, bool), E>
    where
        F: Future<Output = Result<Vec<T>, E>>,
    {
        let (mut due, mut reads) = (Vec::new(), 0);
        for after in self.places() {
            due = read(after).await?;
            reads += 1;
            if !due.is_empty() {
                break;
            }
        }
        let last = due.last().filter(|_| due.len() == limit).map(place);
        self.continue_after(last);
        Ok((due, last.is_some() && reads == 1))
    }
}

/// Returns how much of its limit a step uses for each of its notifications.
pub(crate) fn share(limit: usize, notifications: usize) -> usize {
    limit.checked_div(notifications).unwrap_or(limit).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    async fn step(rounds: &Rounds, due: &[i64], limit: usize) -> (Vec<i64>, bool) {
        let read = |(after, _): Place| async move {
            let next = due.iter().copied().filter(|time| *time > after).take(limit);
            Ok::<_, ()>(next.collect::<Vec<_>>())
        };
        rounds.next(limit, |time| (*time, 0), read).await.unwrap()
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[tokio::test]
    async fn each_round_reaches_everything_that_is_due() {
        let rounds = Rounds::default();
        assert_eq!(step(&rounds, &[], 2).await, (vec![], false));
        let due = [1, 2, 3, 4, 5];
        for _ in 0..2 {
            assert_eq!(step(&rounds, &due, 2).await, (vec![1, 2], true));
            assert_eq!(step(&rounds, &due, 2).await, (vec![3, 4], true));
            assert_eq!(step(&rounds, &due, 2).await, (vec![5], false));
        }
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[tokio::test]
    async fn a_round_that_ended_at_the_limit_is_followed_by_the_next_and_does_not_continue() {
        let rounds = Rounds::default();
        assert_eq!(step(&rounds, &[1, 2], 2).await, (vec![1, 2], true));
        for _ in 0..2 {
            assert_eq!(step(&rounds, &[1, 2], 2).await, (vec![1, 2], false));
        }
        assert_eq!(step(&rounds, &[], 2).await, (vec![], false));
    }

    #[test]
    fn the_notifications_of_a_step_share_its_limit() {
        assert_eq!([1, 2, 3, 7, 9].map(|due| share(7, due)), [7, 3, 2, 1, 1]);
        assert_eq!((share(5, 0), share(0, 0)), (5, 1));
    }
}
