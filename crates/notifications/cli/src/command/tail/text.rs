//! The lines for people.

use internal_notifications_pusher::contract::{Snapshot, Status, with_causes};
use internal_notifications_pusher::models::{Change, ChangeKind, InboxNotification, NotificationId};

use super::status_name::status_name;

pub(super) fn head(snapshot: &Snapshot, reset: bool) -> String {
    let reloaded = if reset { " (reloaded)" } else { "" };
    format!("inbox at seq {}, {} pending{reloaded}", snapshot.position.seq, snapshot.pending)
}

/// Returns the seq, `*` if pending, the time, the text and the id.
pub(super) fn row(row: &InboxNotification) -> String {
    let pending = if row.opened { ' ' } else { '*' };
    let heading = row.heading.as_ref().map_or(String::new(), |heading| format!("{heading}: "));
    format!("{:>6} {pending} {:.0}  {heading}{}  [{}]", row.added, row.created_at, row.content, row.id)
}

pub(super) fn change(change: &Change) -> String {
    let seq = change.stamp.seq;
    let what = match &change.kind {
        ChangeKind::Added { notification } => return row(notification),
        ChangeKind::Gone { id } => format!("added {id}, which has been removed since"),
        ChangeKind::Opened { ids } => format!("opened {}", list(ids)),
        ChangeKind::Unopened { ids } => format!("marked pending {}", list(ids)),
        ChangeKind::Removed { ids, .. } => format!("removed {}", list(ids)),
        ChangeKind::OpenedAll { through } => format!("opened all up to seq {through}"),
        _ => "a change that this version does not know".to_owned(),
    };
    format!("{seq:>6} - {what}, {} pending", change.stamp.pending)
}

pub(super) fn status(status: &Status) -> String {
    let name = status_name(status).replace('_', " ");
    match status.error() {
        Some(error) => format!("-- {name}: {}", with_causes(error)),
        None => format!("-- {name}"),
    }
}

fn list(ids: &[NotificationId]) -> String {
    ids.iter().map(NotificationId::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use internal_notifications_pusher::models::{InternalNotification, Timestamp};

    use super::*;

    #[test]
    fn a_row_is_one_readable_line() {
        let notification = InternalNotification::new("on its way").with_heading("Order 1815");
        let id = NotificationId::new("n").unwrap();
        let added = InboxNotification::new(id, notification, "key:shop", Timestamp::UNIX_EPOCH, 42);
        assert_eq!(row(&added), "    42 * 1970-01-01T00:00:00Z  Order 1815: on its way  [n]");
    }
}
