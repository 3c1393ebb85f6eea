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
    /// notifications after it, else the start. Returns whether the round has ended.
    pub(crate) fn continue_after(&self, last: Option<Place>) -> bool {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = last.unwrap_or(START);
        last.is_none()
    }
}

/// Returns how much of its limit a step uses for each of its notifications.
pub(crate) fn share(limit: usize, notifications: usize) -> usize {
    limit.checked_div(notifications).unwrap_or(limit).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(rounds: &Rounds, due: &[i64], limit: usize) -> (Vec<i64>, bool) {
        let read = |(after, _): Place| due.iter().copied().filter(move |time| *time > after).take(limit);
        let due: Vec<i64> = rounds
            .places()
            .map(|after| read(after).collect())
            .find(|due: &Vec<_>| !due.is_empty())
            .unwrap_or_default();
        let last = due.last().filter(|_| due.len() == limit).map(|time| (*time, 0));
        (due, rounds.continue_after(last))
    }

    #[test]
    fn each_round_reaches_everything_that_is_due() {
        let rounds = Rounds::default();
        assert_eq!(step(&rounds, &[], 2), (vec![], true));
        let due = [1, 2, 3, 4, 5];
        for _ in 0..2 {
            assert_eq!(step(&rounds, &due, 2), (vec![1, 2], false));
            assert_eq!(step(&rounds, &due, 2), (vec![3, 4], false));
            assert_eq!(step(&rounds, &due, 2), (vec![5], true));
        }
    }

    #[test]
    fn a_round_that_ended_at_the_limit_is_followed_by_the_next() {
        let rounds = Rounds::default();
        for _ in 0..2 {
            assert_eq!(step(&rounds, &[1, 2], 2), (vec![1, 2], false));
        }
        assert_eq!(step(&rounds, &[], 2), (vec![], true));
    }

    #[test]
    fn the_notifications_of_a_step_share_its_limit() {
        assert_eq!([1, 2, 3, 7, 9].map(|due| share(7, due)), [7, 3, 2, 1, 1]);
        assert_eq!((share(5, 0), share(0, 0)), (5, 1));
    }
}
