use crate::checks::expected::expected;
use crate::checks::inbox::Inbox;
use crate::load::ledger::Entries;
use internal_notifications_pusher::contract::Snapshot;
use internal_notifications_pusher::models::InboxNotification;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Broken promises, each described in a sentence.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Findings {
    /// Acknowledged, but missing.
    pub(crate) lost: Vec<String>,
    /// In a list more than once.
    pub(crate) twice: Vec<String>,
    /// Order, state or count differ from the server's or from what was acknowledged, or a
    /// scheduled notification came too early.
    pub(crate) wrong: Vec<String>,
    pub(crate) announced_twice: Vec<String>,
    /// Users who waited too long.
    pub(crate) late: Vec<String>,
    /// Answers that are not allowed, programs that ended by themselves, clients that did not
    /// recover in time.
    pub(crate) other: Vec<String>,
}

impl Findings {
    pub(crate) fn all(&self) -> [(&'static str, &Vec<String>); 6] {
        [
            ("lost", &self.lost),
            ("twice", &self.twice),
            ("wrong order, state or count", &self.wrong),
            ("announced twice", &self.announced_twice),
            ("late", &self.late),
            ("other", &self.other),
        ]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all().iter().all(|(_, found)| found.is_empty())
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.lost.extend(more.lost);
        self.twice.extend(more.twice);
        self.wrong.extend(more.wrong);
        self.announced_twice.extend(more.announced_twice);
        self.late.extend(more.late);
        self.other.extend(more.other);
    }

    /// Compares a server's inbox with what it acknowledged.
    pub(crate) fn of_server(inbox: &Inbox, entries: &Entries, user: (usize, &str)) -> Self {
        let mut found = Self::default();
        let (number, name) = user;
        let rows = found.rows_by_id(&inbox.rows, name);
        let pushed = entries.pushed_to.get(number).into_iter().flatten();
        for id in pushed.collect::<BTreeSet<_>>() {
            let Some(expected) = expected(entries, number, id) else { continue };
            match (rows.get(id.as_str()), expected.present) {
                (None, Some(true)) => {
                    found.lost.push(format!("{id}: acknowledged, but not in the inbox of {name}"));
                }
                (Some(_), Some(false)) => {
                    found.wrong.push(format!("{id}: removed, but in the inbox of {name}"));
                }
                (Some(row), _) if expected.opened.is_some_and(|opened| opened != row.opened) => {
                    let is = if row.opened { "opened" } else { "pending" };
                    found.wrong.push(format!(
                        "{id}: {is} in the inbox of {name}, unlike the last acknowledged write"
                    ));
                }
                _ => {}
            }
        }
        for (id, row) in &rows {
            if expected(entries, number, id).is_none() {
                found.wrong.push(format!("{id}: in the inbox of {name}, but never acknowledged: {row:?}"));
            }
        }
        let pending = inbox.rows.iter().filter(|row| !row.opened).count();
        if u64::try_from(pending).ok() != Some(inbox.head.pending) {
            let head = inbox.head.pending;
            found.wrong.push(format!("{name}: {pending} are pending, but the head counts {head}"));
        }
        if !inbox.rows.is_sorted_by(|newer, older| newer.added > older.added) {
            found.wrong.push(format!("{name}: the list is not sorted by `added`"));
        }
        found
    }

    /// Compares a replica's whole list with the server's.
    pub(crate) fn of_replica(replica: &str, snapshot: &Snapshot, inbox: &Inbox) -> Self {
        let mut found = Self::default();
        if snapshot.position != inbox.head.position {
            let (is, head) = (snapshot.position, inbox.head.position);
            found.wrong.push(format!("{replica}: at {is:?}, but the server at {head:?}"));
        }
        if snapshot.pending != inbox.head.pending {
            let (is, head) = (snapshot.pending, inbox.head.pending);
            found.wrong.push(format!("{replica}: counts {is}, but the server {head}"));
        }
        let held: Vec<&InboxNotification> = snapshot.notifications.iter().map(AsRef::as_ref).collect();
        let ids = found.rows_by_id(held.iter().copied(), replica);
        for row in inbox.rows.iter().filter(|row| !ids.contains_key(row.id.as_str())) {
            found.lost.push(format!("{}: on the server, but not in {replica}", row.id));
        }
        let differing = held.iter().zip(&inbox.rows).find(|(held, row)| *held != row);
        if let Some((held, row)) = differing.filter(|_| found.lost.is_empty() && found.twice.is_empty()) {
            found.wrong.push(format!("{replica}: holds {held:?} where the server has {row:?}"));
        }
        if held.len() > inbox.rows.len() {
            found.wrong.push(format!("{replica}: holds {} of {}", held.len(), inbox.rows.len()));
        }
        found
    }

    /// Indexes rows by id. Duplicates become findings.
    fn rows_by_id<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r InboxNotification>,
        whose: &str,
    ) -> BTreeMap<&'r str, &'r InboxNotification> {
        let mut by_id = BTreeMap::new();
        for row in rows {
            if by_id.insert(row.id.as_str(), row).is_some() {
                self.twice.push(format!("{}: twice in the list of {whose}", row.id));
            }
        }
        by_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use internal_notifications_pusher::models::{Head, InternalNotification, Position};

    fn row(id: &str, added: u64) -> InboxNotification {
        let id = id.parse().unwrap();
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        InboxNotification::new(id, InternalNotification::new("c"), "key:chaos", at, added)
    }

    fn inbox(rows: &[InboxNotification]) -> Inbox {
        let pending = rows.iter().filter(|row| !row.opened).count().try_into().unwrap();
        Inbox { head: Head::new(Position { seq: 9, tag: None }, pending), rows: rows.to_vec() }
    }

    fn shown(rows: &[InboxNotification]) -> Snapshot {
        let Inbox { head, rows } = inbox(rows);
        let notifications = rows.into_iter().map(Into::into).collect();
        let mut snapshot = Snapshot::default();
        snapshot.notifications = notifications;
        (snapshot.pending, snapshot.position) = (head.pending, head.position);
        snapshot
    }

    fn counts(found: &Findings) -> [usize; 3] {
        [found.lost.len(), found.twice.len(), found.wrong.len()]
    }

    #[test]
    fn differences_of_a_replica_are_found() {
        let (one, two) = (row("one", 1), row("two", 2));
        let mut opened = two.clone();
        opened.opened = true;
        let server = inbox(&[two.clone(), one.clone()]);
        let of = |rows: &[InboxNotification]| counts(&Findings::of_replica("r", &shown(rows), &server));
        assert_eq!(of(&[two.clone(), one.clone()]), [0, 0, 0]);
        assert_eq!(of(std::slice::from_ref(&two)), [1, 0, 1], "lost, and the count differs");
        assert_eq!(
            of(&[two.clone(), two.clone(), one.clone()]),
            [0, 1, 2],
            "a duplicate, the count and the length"
        );
        assert_eq!(of(&[one.clone(), two.clone()]), [0, 0, 1]);
        assert_eq!(of(&[opened, one.clone()]), [0, 0, 2]);
        let mut elsewhere = shown(&[two, one]);
        elsewhere.position.seq = 8;
        assert_eq!(counts(&Findings::of_replica("r", &elsewhere, &server)), [0, 0, 1]);
    }

    #[test]
    fn differences_of_a_server_from_its_acknowledgements_are_found() {
        let now = std::time::Instant::now();
        let exchange = crate::load::exchange::Exchange { first: now, last: now, answered: now, attempts: 1 };
        let ledger = crate::load::ledger::Ledger::new(1);
        ledger.record_push("one".into(), vec![0], exchange, None);
        ledger.record_push("two".into(), vec![0], exchange, None);
        let entries = ledger.entries_so_far();
        let of = |inbox: &Inbox| counts(&Findings::of_server(inbox, &entries, (0, "ada")));
        let (one, two) = (row("one", 1), row("two", 2));
        assert_eq!(of(&inbox(&[two.clone(), one.clone()])), [0, 0, 0]);
        assert_eq!(of(&inbox(std::slice::from_ref(&two))), [1, 0, 0]);
        assert_eq!(
            of(&inbox(&[two.clone(), one.clone(), one.clone()])),
            [0, 1, 1],
            "a duplicate, and the order"
        );
        assert_eq!(of(&inbox(&[row("three", 3), two.clone(), one.clone()])), [0, 0, 1]);
        let mut opened = two.clone();
        opened.opened = true;
        assert_eq!(of(&inbox(&[opened, one.clone()])), [0, 0, 1]);
        let mut miscounted = inbox(&[two, one]);
        miscounted.head.pending = 3;
        assert_eq!(of(&miscounted), [0, 0, 1]);
    }
}
