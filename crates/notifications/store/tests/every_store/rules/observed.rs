use std::collections::BTreeMap;

use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxPage, Position, ResetReason, Tag, UserId,
};
use internal_notifications_store::PublishLimits;

use super::Seen;
use crate::fixture::Fixture;

/// What readers have seen of a store's inboxes.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    inboxes: BTreeMap<UserId, Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    last: Position,
    tags: BTreeMap<u64, Tag>,
}

/// The changes and whether there are more, or the reason and page of a reset, without tags.
pub(crate) type Answer = Result<(Vec<Change>, bool), (ResetReason, Page)>;
pub(crate) type Page = (InboxPage, (u64, u64));

impl Observed {
    /// Returns the last seq that was seen.
    pub(crate) fn head(&self, user: &UserId) -> u64 {
        self.inboxes.get(user).map_or(0, |inbox| inbox.last.seq)
    }

    /// Returns a position with the tag of this store.
    pub(crate) fn position(&self, user: &UserId, seen: Seen) -> Position {
        let known = self.inboxes.get(user).and_then(|inbox| inbox.tags.get(&seen.seq)).copied();
        let tag = seen.tag.and_then(|right| if right { known } else { Some(Tag::from_bits(7)) });
        Position { seq: seen.seq, tag }
    }

    /// Reads and returns the changes since the last read.
    pub(crate) async fn follow(&mut self, fixture: &Fixture, user: &UserId) -> Answer {
        let inbox = self.inboxes.entry(user.clone()).or_default();
        let answer = fixture.store.changes(user, inbox.last, 500).await.unwrap();
        match &answer {
            ChangesAnswer::Changes { changes, .. } => {
                for change in changes {
                    assert!(change.stamp.follows(inbox.last), "{change:?} after {:?}", inbox.last);
                    inbox.last = change.stamp.position();
                    inbox.tags.insert(change.stamp.seq, change.stamp.tag);
                }
            }
            ChangesAnswer::Reset { snapshot, .. } => {
                inbox.last = snapshot.head.position;
                inbox.tags.extend(inbox.last.tag.map(|tag| (inbox.last.seq, tag)));
            }
        }
        assert_eq!(fixture.store.head(user).await.unwrap().position, inbox.last);
        plain_answer(answer)
    }

    /// Returns the unpublished changes of these users.
    pub(crate) async fn unpublished(
        &self,
        fixture: &Fixture,
        after: &[(UserId, u64)],
    ) -> Vec<(UserId, bool, Vec<Change>)> {
        let most = PublishLimits::new(12, 140);
        let unpublished = fixture.store.claim_unpublished(after, most).await.unwrap();
        unpublished
            .into_iter()
            .map(|user| (user.user_id, user.far_behind, user.changes.into_iter().map(plain).collect()))
            .collect()
    }
}

pub(crate) fn plain_head(head: Head) -> (u64, u64) {
    (head.position.seq, head.pending)
}

pub(crate) fn plain_page(page: InboxPage) -> Page {
    let head = plain_head(page.head);
    (InboxPage::new(Head::default(), page.notifications, page.next), head)
}

pub(crate) fn plain_answer(answer: ChangesAnswer) -> Answer {
    match answer {
        ChangesAnswer::Changes { changes, more, .. } => Ok((changes.into_iter().map(plain).collect(), more)),
        ChangesAnswer::Reset { reason, snapshot, .. } => Err((reason, plain_page(snapshot))),
    }
}

fn plain(mut change: Change) -> Change {
    change.stamp.tag = Tag::from_bits(0);
    change.stamp.prev = change.stamp.prev.map(|_| Tag::from_bits(0));
    change
}
