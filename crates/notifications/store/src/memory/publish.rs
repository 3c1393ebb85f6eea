use std::collections::BTreeMap;
use std::ops::Bound;

use internal_notifications_models::{Change, ChangeKind, UserId};

use super::contents::Contents;
use super::inbox::{Inbox, Lease, Publication};
use crate::{PublishLimits, Unpublished};

/// The milliseconds for which an inbox is leased to the store that publishes it.
const LEASE: i64 = 5_000;

/// A store among several that publish the same inboxes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Publisher {
    pub(super) owner: u64,
    pub(super) now: i64,
}

/// Returns whether no other store has leased the inbox.
fn is_free(publication: &Publication, publisher: Option<Publisher>) -> bool {
    publisher.is_none_or(|publisher| {
        let lease = publication.lease.as_ref();
        lease.is_none_or(|lease| lease.owner == publisher.owner || lease.until <= publisher.now)
    })
}

/// Returns the next users after the cursor that have unpublished changes, and moves the cursor.
pub(super) fn unpublished_users(
    contents: &Contents,
    publisher: Option<Publisher>,
    cursor: &mut Option<UserId>,
    limit: usize,
) -> Vec<UserId> {
    let (after, up_to) = match &*cursor {
        Some(last) => (Bound::Excluded(last), Bound::Included(last)),
        None => (Bound::Unbounded, Bound::Unbounded),
    };
    let later = contents.inboxes.range::<UserId, _>((after, Bound::Unbounded));
    let again = contents.inboxes.range::<UserId, _>((Bound::Unbounded, up_to));
    let is_unpublished = |inbox: &Inbox| inbox.publication.as_ref().is_some_and(|of| is_free(of, publisher));
    let in_order = later.chain(again.take_while(|_| cursor.is_some()));
    let users: Vec<_> = in_order
        .filter(|(_, inbox)| is_unpublished(inbox))
        .map(|(user, _)| user.clone())
        .take(limit)
        .collect();
    if let Some(last) = users.last() {
        *cursor = Some(last.clone());
    }
    users
}

/// Returns how many milliseconds ago the oldest unpublished change was made, as far as the marks
/// tell.
pub(super) fn unpublished_age(contents: &Contents, now: i64) -> Option<u64> {
    let publications = contents.inboxes.values().filter_map(|inbox| inbox.publication.as_ref());
    let since = publications.map(|publication| publication.since).min()?;
    Some(u64::try_from(now - since).unwrap_or(0))
}

/// Returns the unpublished changes of these users, in the order of `users`.
pub(super) fn unpublished(
    contents: &mut Contents,
    publisher: Option<Publisher>,
    users: &[(UserId, u64)],
    limits: PublishLimits,
) -> Vec<Unpublished> {
    let mut unpublished = Vec::new();
    for (user, after) in users {
        let Some(inbox) = contents.inboxes.get_mut(user) else { continue };
        let seq = inbox.seq();
        let Some(publication) = inbox.publication.as_mut().filter(|of| is_free(of, publisher)) else {
            continue;
        };
        publication.lease = publisher.map(|by| Lease { owner: by.owner, until: by.now + LEASE });
        let after = publication.published.max(*after);
        let behind = seq.saturating_sub(after);
        if behind == 0 {
            continue;
        }
        let far_behind = usize::try_from(behind).unwrap_or(usize::MAX) > limits.changes;
        let after = if far_behind { seq - 1 } else { after };
        let changes: Vec<_> = inbox.log.records(after).collect();
        let changes = changes
            .into_iter()
            .map(|change| without_large_body(contents, change, limits.body_bytes))
            .collect();
        unpublished.push(Unpublished { user_id: user.clone(), changes, far_behind });
    }
    unpublished
}

fn without_large_body(contents: &Contents, mut change: Change, most: usize) -> Change {
    if let ChangeKind::Added { notification } = &change.kind
        && contents.bytes(&notification.id) > most
    {
        change.kind = ChangeKind::Gone { id: notification.id.clone() };
    }
    change
}

/// Moves the marks and ends the leases of these users, except those that another store has leased.
///
/// If the data is shared, returns the users that still have unpublished changes.
pub(super) fn mark(
    contents: &mut Contents,
    publisher: Option<Publisher>,
    marks: &[(UserId, u64)],
    now: i64,
) -> Vec<UserId> {
    let mut highest: BTreeMap<&UserId, u64> = BTreeMap::new();
    for (user, seq) in marks {
        let mark = highest.entry(user).or_default();
        *mark = (*mark).max(*seq);
    }
    let mut still_unpublished = Vec::new();
    for (user, mark) in highest {
        let Some(inbox) = contents.inboxes.get_mut(user) else { continue };
        let seq = inbox.seq();
        let Some(publication) = inbox.publication.as_mut().filter(|of| is_free(of, publisher)) else {
            continue;
        };
        if mark > publication.published {
            (publication.published, publication.since) = (mark, now);
        }
        publication.lease = None;
        if publication.published >= seq {
            inbox.publication = None;
        } else if publisher.is_some() {
            still_unpublished.push(user.clone());
        }
    }
    still_unpublished
}
