use crate::load::ledger::{Action, Entries, Write};
use std::time::Duration;

/// How late a request that was given up may still be served.
const MAX_DELAY: Duration = Duration::from_secs(15);

/// The expected state of a notification in a user's inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Whether it is present. `None` if a restore may have undone its push or its removal.
    pub(crate) present: Option<bool>,
    /// Whether it is opened, if it is present. `None` if that depends on a write that a restore may
    /// have undone, or on a repeated write whose first attempt may have been served late.
    pub(crate) opened: Option<bool>,
}

/// Derives the expected state from the ledger. Returns `None` for an id that was never pushed to
/// this user.
pub(crate) fn expected(entries: &Entries, user: usize, id: &str) -> Option<Expected> {
    let push = entries.pushes.get(id).filter(|push| push.users.contains(&user))?;
    let survives = |write: &Write| write.exchange.survives(&entries.restores);
    let mut present = push.exchange.survives(&entries.restores).then_some(true);
    let (mut opened, mut is_tainted) = (Some(false), false);
    for write in entries.writes.get(user).into_iter().flatten() {
        let names = |ids: &[String]| ids.iter().any(|named| named == id);
        let (to, surely) = match &write.action {
            Action::Removed(removed) => {
                if removed == id && present != Some(false) {
                    present = survives(write).then_some(false);
                }
                continue;
            }
            Action::Opened(ids) if names(ids) => (true, true),
            Action::Unopened(ids) if names(ids) => (false, true),
            // When a scheduled notification came into the inbox is not known.
            Action::AllOpened => (true, push.due.is_none() && push.exchange.answered < write.exchange.first),
            Action::Opened(_) | Action::Unopened(_) => continue,
        };
        // The server does not remember a write that changed nothing, so its first attempt may still
        // have an effect when it is served late.
        is_tainted |=
            write.exchange.attempts > 1 && push.exchange.first <= write.exchange.answered + MAX_DELAY;
        if surely && survives(write) {
            opened = Some(to);
        } else if opened != Some(to) && push.exchange.first <= write.exchange.answered {
            opened = None;
        }
    }
    Some(Expected { present, opened: opened.filter(|_| !is_tainted) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::exchange::{Exchange, Restore};
    use crate::load::ledger::Ledger;
    use std::time::Instant;

    /// Returns a request that was sent at this second and answered half a second later.
    fn at(start: Instant, second: u64) -> Exchange {
        let first = start + Duration::from_secs(second);
        Exchange { first, last: first, answered: first + Duration::from_millis(500), attempts: 1 }
    }

    fn expected_after(writes: &[(u64, Action)], restores: &[(u64, u64)]) -> Expected {
        let (start, ledger) = (Instant::now(), Ledger::new(1));
        ledger.record_push("n".into(), vec![0], at(start, 10), None);
        for (second, action) in writes {
            ledger.record_write(0, action.clone(), at(start, *second));
        }
        let mut entries = ledger.entries_so_far();
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
    fn an_acknowledged_push_is_present_unless_a_restore_undid_it() {
        assert_eq!(expected_after(&[], &[]), Expected { present: Some(true), opened: Some(false) });
        assert_eq!(expected_after(&[], &[(11, 12), (1, 9)]).present, Some(true));
        assert_eq!(expected_after(&[], &[(9, 12)]).present, None);
        assert_eq!(
            expected_after(&[], &[(10, 12)]).present,
            None,
            "the push was answered after the copy began"
        );
        assert_eq!(
            expected_after(&[], &[(1, 10)]).present,
            None,
            "the push was sent before the restore ended"
        );
    }

    #[test]
    fn a_removed_notification_is_absent_unless_a_restore_undid_the_removal() {
        let removed = [(20, Action::Removed("n".into()))];
        assert_eq!(expected_after(&removed, &[]).present, Some(false));
        assert_eq!(
            expected_after(&removed, &[(9, 12)]).present,
            Some(false),
            "the removal was after the restore"
        );
        assert_eq!(expected_after(&removed, &[(15, 25)]).present, None);
    }

    #[test]
    fn the_last_write_decides_whether_a_notification_is_opened() {
        let opened = (20, Action::Opened(n()));
        let unopened = (30, Action::Unopened(n()));
        let other = (35, Action::Unopened(vec!["other".into()]));
        assert_eq!(expected_after(std::slice::from_ref(&opened), &[]).opened, Some(true));
        assert_eq!(expected_after(&[opened.clone(), unopened.clone(), other], &[]).opened, Some(false));
        assert_eq!(expected_after(&[opened.clone(), unopened], &[(25, 40)]).opened, None);
        assert_eq!(
            expected_after(&[opened.clone(), (30, Action::Opened(n()))], &[(25, 40)]).opened,
            Some(true)
        );
        assert_eq!(expected_after(&[opened, (50, Action::AllOpened)], &[(25, 40)]).opened, Some(true));
    }

    #[test]
    fn opening_all_opens_earlier_pushes_only() {
        assert_eq!(expected_after(&[(20, Action::AllOpened)], &[]).opened, Some(true));
        assert_eq!(expected_after(&[(5, Action::AllOpened)], &[]).opened, Some(false));
        assert_eq!(
            expected_after(&[(10, Action::AllOpened)], &[]).opened,
            None,
            "the push and the write overlap"
        );
    }
}
