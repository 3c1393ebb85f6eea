//! The lines for programs.

use std::collections::BTreeMap;

use internal_notifications_pusher::contract::{Snapshot, Status, with_causes};
use internal_notifications_pusher::models::{Change, JsonText};
use serde_json::{Error, json};

use super::status_name::status_name;

pub(super) fn snapshot(snapshot: &Snapshot, reset: bool, limit: usize) -> Result<JsonText, Error> {
    let newest: Vec<_> = snapshot.notifications.iter().take(limit).map(|row| &**row).collect();
    let (position, pending) = (snapshot.position, snapshot.pending);
    let mut line = BTreeMap::from([
        ("type", "snapshot".into()),
        ("notifications", JsonText::new(&newest)?),
        ("seq", position.seq.into()),
        ("tag", JsonText::new(&position.tag)?),
        ("pending", pending.into()),
    ]);
    if reset {
        line.insert("reset", true.into());
    }
    JsonText::new(&line)
}

/// Returns the change as in the log, with its `kind` as the line's `type`.
pub(super) fn change(change: &Change) -> Result<JsonText, Error> {
    let record = JsonText::new(change)?;
    let mut line: BTreeMap<String, JsonText> = record.parse()?;
    if let Some(kind) = line.remove("kind") {
        line.insert("type".to_owned(), kind);
    }
    JsonText::new(&line)
}

pub(super) fn status(status: &Status) -> JsonText {
    let name = status_name(status);
    let line = match status.error() {
        Some(error) => json!({"type": "status", "status": name, "reason": with_causes(error)}),
        None => json!({"type": "status", "status": name}),
    };
    line.into()
}

#[cfg(test)]
mod tests {
    use internal_notifications_pusher::contract::{ServiceError, ServiceErrorKind};

    use super::*;

    #[test]
    fn a_change_is_its_record_with_its_kind_as_type() {
        let record = json!({"seq": 43, "tag": "00000000000000ab", "prev": "00000000000000aa", "pending": 6,
            "at": "2026-01-31T09:30:00Z", "kind": "removed", "ids": ["a"], "reason": "user"});
        let removed: Change = serde_json::from_value(record).unwrap();
        let line = json!({"type": "removed", "ids": ["a"], "reason": "user", "seq": 43, "tag": "00000000000000ab",
            "prev": "00000000000000aa", "pending": 6, "at": "2026-01-31T09:30:00Z"});
        assert_eq!(change(&removed).unwrap(), line.into());
    }

    #[test]
    fn numbers_are_printed_as_the_sender_wrote_them() {
        let record = r#"{"seq":1,"tag":"00000000000000ab","prev":null,"pending":1,"at":"2026-01-31T09:30:00Z","kind":"added","notification":{"id":"n","content":"c","payload":[98765432109876543210987,1.50],"opened":false,"created_at":"2026-01-31T09:30:00Z","sender":"key:shop","added":1,"color":1E400}}"#;
        let added: Change = serde_json::from_str(record).unwrap();
        let line = change(&added).unwrap().to_string();
        assert!(
            line.contains("[98765432109876543210987,1.50]") && line.contains(r#""color":1E400"#),
            "{line}"
        );
    }

    #[test]
    fn only_a_snapshot_after_a_reset_is_marked_as_one() {
        let empty = Snapshot::default();
        let line = json!({"type": "snapshot", "notifications": [], "seq": 0, "tag": null, "pending": 0});
        assert_eq!(snapshot(&empty, false, 50).unwrap(), line.into());
        assert!(snapshot(&empty, true, 50).unwrap().as_str().contains(r#""reset":true"#));
    }

    #[test]
    fn a_status_has_a_reason_if_there_is_one() {
        let error = || ServiceError::new(ServiceErrorKind::Unavailable, "no").with_source("because");
        for (name, with) in [
            ("offline", Status::Offline(error())),
            ("polling", Status::Polling(error())),
            ("failed", Status::Failed(error())),
        ] {
            let line = json!({"type": "status", "status": name, "reason": "no: because"});
            assert_eq!(status(&with), line.into());
        }
        let line = json!({"type": "status", "status": "catching_up"});
        assert_eq!(status(&Status::CatchingUp), line.into());
    }
}
