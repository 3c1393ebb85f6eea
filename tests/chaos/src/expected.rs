use crate::ledger::{Entries, What, Write};
use std::time::Duration;

/// How late a request that was given up may still be served.
const LATEST: Duration = Duration::from_secs(15);

/// What must be true of a notification in a user's inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Whether it is there; none where a restore may have taken back its push or its removal.
    pub(crate) present: Option<bool>,
    /// Whether it is opened, if it is there; none where that hangs on what a restore took back, or on a repeated write, whose first
    /// sending may have come late.
    pub(crate) opened: Option<bool>,
}

/// What the ledger says; none for an id that was never pushed to that user.
pub(crate) fn expected(entries: &Entries, user: usize, id: &str) -> Option<Expected> {
    let push = entries.pushes.get(id).filter(|push| push.users.contains(&user))?;
    let outlives = |write: &Write| write.sent.outlives(&entries.restores);
    let mut present = push.sent.outlives(&entries.restores).then_some(true);
    let (mut opened, mut is_tainted) = (Some(false), false);
    for write in entries.writes.get(user).into_iter().flatten() {
        let names = |ids: &[String]| ids.iter().any(|named| named == id);
        let (to, surely) = match &write.what {
            What::Removed(removed) => {
                if removed == id && present != Some(false) {
                    present = outlives(write).then_some(false);
                }
                continue;
            }
            What::Opened(ids) if names(ids) => (true, true),
            What::Unopened(ids) if names(ids) => (false, true),
            What::AllOpened => (true, push.sent.answered < write.sent.first),
            What::Opened(_) | What::Unopened(_) => continue,
        };
        // A repeated write that changed nothing is not remembered: its first sending may still do something when it comes late.
        is_tainted |= write.sent.attempts > 1 && push.sent.first <= write.sent.answered + LATEST;
        if surely && outlives(write) {
            opened = Some(to);
        } else if opened != Some(to) && push.sent.first <= write.sent.answered {
            opened = None;
        }
    }
    Some(Expected { present, opened: opened.filter(|_| !is_tainted) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use crate::sent::{Restore, Sent};
    use std::time::Instant;

    /// Sent at that second and answered half a second later.
    fn at(start: Instant, second: u64) -> Sent {
        let first = start + Duration::from_secs(second);
        Sent { first, last: first, answered: first + Duration::from_millis(500), attempts: 1 }
    }

    fn told(writes: &[(u64, What)], restores: &[(u64, u64)]) -> Expected {
        let (start, ledger) = (Instant::now(), Ledger::of(1));
        ledger.pushed("n".into(), vec![0], at(start, 10));
        for (second, what) in writes {
            ledger.written(0, what.clone(), at(start, *second));
        }
        let mut entries = ledger.take();
        let second = |second: &u64| start + Duration::from_secs(*second);
        entries.restores = restores
            .iter()
            .map(|(copied, restored)| Restore { copied: second(copied), restored: second(restored) })
            .collect();
        assert_eq!(expected(&entries, 0, "other"), None);
        expected(&entries, 0, "n").unwrap()
    }

    fn n() -> Vec<String> {
        vec!["n".to_owned()]
    }

    #[test]
    fn what_was_acknowledged_is_there_unless_a_restore_took_it_back() {
        assert_eq!(told(&[], &[]), Expected { present: Some(true), opened: Some(false) });
        assert_eq!(told(&[], &[(11, 12), (1, 9)]).present, Some(true));
        assert_eq!(told(&[], &[(9, 12)]).present, None);
        assert_eq!(told(&[], &[(10, 12)]).present, None, "answered after the copy was begun");
        assert_eq!(told(&[], &[(1, 10)]).present, None, "sent before the restore was over");
    }

    #[test]
    fn what_was_removed_is_gone_unless_a_restore_took_that_back() {
        let removed = [(20, What::Removed("n".into()))];
        assert_eq!(told(&removed, &[]).present, Some(false));
        assert_eq!(told(&removed, &[(9, 12)]).present, Some(false), "whatever became of the push");
        assert_eq!(told(&removed, &[(15, 25)]).present, None);
    }

    #[test]
    fn the_last_write_decides_whether_it_is_opened() {
        let opened = (20, What::Opened(n()));
        let unopened = (30, What::Unopened(n()));
        let other = (35, What::Unopened(vec!["other".into()]));
        assert_eq!(told(std::slice::from_ref(&opened), &[]).opened, Some(true));
        assert_eq!(told(&[opened.clone(), unopened.clone(), other], &[]).opened, Some(false));
        assert_eq!(told(&[opened.clone(), unopened], &[(25, 40)]).opened, None);
        assert_eq!(told(&[opened.clone(), (30, What::Opened(n()))], &[(25, 40)]).opened, Some(true));
        assert_eq!(told(&[opened, (50, What::AllOpened)], &[(25, 40)]).opened, Some(true));
    }

    #[test]
    fn opening_all_opens_what_was_there() {
        assert_eq!(told(&[(20, What::AllOpened)], &[]).opened, Some(true));
        assert_eq!(told(&[(5, What::AllOpened)], &[]).opened, Some(false));
        assert_eq!(told(&[(10, What::AllOpened)], &[]).opened, None, "at the same time");
    }
}
