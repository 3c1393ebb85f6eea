use std::collections::BTreeMap;
use std::ops::Bound;

use internal_notifications_models::{Change, ChangeKind, UserId};

use super::contents::Contents;
use super::inbox::{Inbox, Lease, Publication};
use crate::{PublishLimits, Unpublished};

/// Milliseconds for which an inbox is left to the store that publishes it.
const LEASE: i64 = 5_000;

/// One of the stores that publish the same inboxes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Publisher {
    pub(super) owner: u64,
    pub(super) now: i64,
}

/// Whether nobody else is at it.
fn is_free(publication: &Publication, publisher: Option<Publisher>) -> bool {
    publisher.is_none_or(|publisher| {
        let lease = publication.lease.as_ref();
        lease.is_none_or(|lease| lease.owner == publisher.owner || lease.until <= publisher.now)
    })
}

/// Users with unpublished changes, taken in turn, so that some that cannot be published do not hide the others.
pub(super) fn behind(
    contents: &Contents,
    publisher: Option<Publisher>,
    turn: &mut Option<UserId>,
    limit: usize,
) -> Vec<UserId> {
    let (after, up_to) = match &*turn {
        Some(last) => (Bound::Excluded(last), Bound::Included(last)),
        None => (Bound::Unbounded, Bound::Unbounded),
    };
    let later = contents.inboxes.range::<UserId, _>((after, Bound::Unbounded));
    let again = contents.inboxes.range::<UserId, _>((Bound::Unbounded, up_to));
    let is_behind = |inbox: &Inbox| inbox.publication.as_ref().is_some_and(|of| is_free(of, publisher));
    let in_turn = later.chain(again.take_while(|_| turn.is_some()));
    let users: Vec<_> =
        in_turn.filter(|(_, inbox)| is_behind(inbox)).map(|(user, _)| user.clone()).take(limit).collect();
    if let Some(last) = users.last() {
        *turn = Some(last.clone());
    }
    users
}

/// What these users' channels have not been told, in the order asked.
pub(super) fn unpublished(
    contents: &mut Contents,
    publisher: Option<Publisher>,
    users: &[(UserId, u64)],
    limits: PublishLimits,
) -> Vec<Unpublished> {
    let mut told = Vec::new();
    for (user, after) in users {
        let Some(inbox) = contents.inboxes.get_mut(user) else { continue };
        let seq = inbox.seq();
        let Some(publication) = inbox.publication.as_mut().filter(|of| is_free(of, publisher)) else {
            continue;
        };
        publication.lease = publisher.map(|by| Lease { owner: by.owner, until: by.now + LEASE });
        let after = publication.published.max(*after);
        let missed = seq.saturating_sub(after);
        if missed == 0 {
            continue;
        }
        let far_behind = usize::try_from(missed).unwrap_or(usize::MAX) > limits.changes;
        let after = if far_behind { seq - 1 } else { after };
        let changes: Vec<_> = inbox.log.records(after).collect();
        let changes =
            changes.into_iter().map(|change| told_as(contents, change, limits.body_bytes)).collect();
        told.push(Unpublished { user_id: user.clone(), changes, far_behind });
    }
    told
}

fn told_as(contents: &Contents, mut change: Change, most: usize) -> Change {
    if let ChangeKind::Added { notification } = &change.kind
        && contents.bytes(&notification.id) > most
    {
        change.kind = ChangeKind::Gone { id: notification.id.clone() };
    }
    change
}

/// Moves marks, but not of inboxes that another is at, and lets go. Where there are other publishers, gives those that are still behind.
pub(super) fn mark(
    contents: &mut Contents,
    publisher: Option<Publisher>,
    marks: &[(UserId, u64)],
) -> Vec<UserId> {
    let mut highest: BTreeMap<&UserId, u64> = BTreeMap::new();
    for (user, seq) in marks {
        let mark = highest.entry(user).or_default();
        *mark = (*mark).max(*seq);
    }
    let mut still_behind = Vec::new();
    for (user, mark) in highest {
        let Some(inbox) = contents.inboxes.get_mut(user) else { continue };
        let seq = inbox.seq();
        let Some(publication) = inbox.publication.as_mut().filter(|of| is_free(of, publisher)) else {
            continue;
        };
        publication.published = publication.published.max(mark);
        publication.lease = None;
        if publication.published >= seq {
            inbox.publication = None;
        } else if publisher.is_some() {
            still_behind.push(user.clone());
        }
    }
    still_behind
}
