//! The lines for programs.

use internal_notifications_pusher::contract::{Snapshot, Status};
use internal_notifications_pusher::models::Change;
use serde_json::{Value, json};

use super::status_name::status_name;

pub(super) fn snapshot(snapshot: &Snapshot, reset: bool, limit: usize) -> Value {
    let newest: Vec<_> = snapshot.notifications.iter().take(limit).map(|row| json!(**row)).collect();
    let (position, pending) = (snapshot.position, snapshot.pending);
    let mut line = json!({"type": "snapshot", "notifications": newest, "seq": position.seq, "tag": position.tag, "pending": pending});
    if let (true, Some(line)) = (reset, line.as_object_mut()) {
        line.insert("reset".to_owned(), true.into());
    }
    line
}

/// Returns the change as in the log, with its `kind` as the line's `type`.
pub(super) fn change(change: &Change) -> Value {
    let mut line = json!(change);
    if let Some(line) = line.as_object_mut() {
        let kind = line.remove("kind").unwrap_or_default();
        line.insert("type".to_owned(), kind);
    }
    line
}

pub(super) fn status(status: &Status) -> Value {
    match status {
        Status::Failed(reason) => json!({"type": "status", "status": "failed", "reason": reason}),
        status => json!({"type": "status", "status": status_name(status)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_its_record_with_its_kind_as_type() {
        let record = json!({"seq": 43, "tag": "00000000000000ab", "prev": "00000000000000aa", "pending": 6,
            "at": "2026-01-31T09:30:00Z", "kind": "removed", "ids": ["a"], "reason": "user"});
        let removed: Change = serde_json::from_value(record).unwrap();
        let line = json!({"type": "removed", "ids": ["a"], "reason": "user", "seq": 43, "tag": "00000000000000ab",
            "prev": "00000000000000aa", "pending": 6, "at": "2026-01-31T09:30:00Z"});
        assert_eq!(change(&removed), line);
    }

    #[test]
    fn only_a_snapshot_after_a_reset_is_marked_as_one() {
        let empty = Snapshot::default();
        let line = json!({"type": "snapshot", "notifications": [], "seq": 0, "tag": null, "pending": 0});
        assert_eq!(snapshot(&empty, false, 50), line);
        assert_eq!(snapshot(&empty, true, 50)["reset"], true);
    }

    #[test]
    fn a_failed_status_has_a_reason() {
        let line = status(&Status::Failed("no".into()));
        assert_eq!(line, json!({"type": "status", "status": "failed", "reason": "no"}));
        assert_eq!(status(&Status::CatchingUp), json!({"type": "status", "status": "catching_up"}));
    }
}
