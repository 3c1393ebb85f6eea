use internal_notifications_models::{Change, ChangeKind, ChangesAnswer, InboxPage, Position, UserId};
use internal_notifications_service::InboxLog;

use super::contents::Contents;
use crate::rules::answer::{BYTES, SNAPSHOT};

pub(super) fn page(contents: &Contents, user: &UserId, limit: usize, before: Option<u64>) -> InboxPage {
    let empty = InboxLog::new();
    page_of(contents, contents.log(user).unwrap_or(&empty), limit, before)
}

fn page_of(contents: &Contents, log: &InboxLog, limit: usize, before: Option<u64>) -> InboxPage {
    let mut page = log.page(limit, before);
    let fit = that_fit(page.notifications.iter().map(|row| contents.bytes(&row.id)));
    if fit < page.notifications.len() {
        page.notifications.truncate(fit);
        page.next = page.notifications.last().map(|row| row.added);
    }
    page
}

pub(super) fn changes(contents: &Contents, user: &UserId, after: Position, limit: usize) -> ChangesAnswer {
    let empty = InboxLog::new();
    let log = contents.log(user).unwrap_or(&empty);
    match log.changes(after, limit.max(1), 0) {
        ChangesAnswer::Changes { mut changes, more, .. } => {
            let fit = that_fit(changes.iter().map(|change| bytes(contents, change)));
            let more = more || fit < changes.len();
            changes.truncate(fit);
            ChangesAnswer::changes(changes, more)
        }
        ChangesAnswer::Reset { reason, .. } => {
            ChangesAnswer::reset(reason, page_of(contents, log, SNAPSHOT, None))
        }
    }
}

/// How many of these fit into one answer; the first always does.
fn that_fit(bytes: impl Iterator<Item = usize>) -> usize {
    let mut sum = 0;
    bytes
        .take_while(|bytes| {
            let first = sum == 0;
            sum += bytes;
            first || sum <= BYTES
        })
        .count()
}

/// Of a record as databases keep it: the body that it added, or what else it did.
fn bytes(contents: &Contents, change: &Change) -> usize {
    match &change.kind {
        ChangeKind::Added { notification } => contents.bytes(&notification.id),
        ChangeKind::Gone { .. } => 0,
        kind => serde_json::to_string(kind).map_or(0, |detail| detail.len()),
    }
}
