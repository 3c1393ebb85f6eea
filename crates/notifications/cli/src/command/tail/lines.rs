use internal_notifications_pusher::contract::{Snapshot, Status};
use internal_notifications_pusher::models::{Change, ChangeKind};
use serde_json::{Value, json};

use super::text;
use crate::error::Error;
use crate::output::{Output, complain};

/// The lines of `tail`, for people or machines.
pub(super) struct Lines {
    output: Output,
    json: bool,
    limit: usize,
    /// Added lines that are still to come.
    left: Option<u64>,
    status: Option<Status>,
    /// Whether the first snapshot was printed.
    begun: bool,
}

impl Lines {
    pub(super) fn new(output: Output, json: bool, limit: usize, count: Option<u64>) -> Self {
        Self { output, json, limit, left: count, status: None, begun: false }
    }

    pub(super) fn snapshot(&mut self, snapshot: &Snapshot, reset: bool) -> Result<(), Error> {
        if self.json {
            if !std::mem::replace(&mut self.begun, true) {
                self.status = None;
            }
            return self.output.json(&snapshot_json(snapshot, reset, self.limit));
        }
        self.output.line(&text::head(snapshot, reset))?;
        let newest = snapshot.notifications.iter().take(self.limit);
        newest.rev().try_for_each(|row| self.output.line(&text::row(row)))
    }

    /// Says whether that was the last one wanted.
    pub(super) fn change(&mut self, change: &Change) -> Result<bool, Error> {
        match self.json {
            true => self.output.json(&change_json(change))?,
            false => self.output.line(&text::change(change))?,
        }
        if let (Some(left), ChangeKind::Added { .. } | ChangeKind::Gone { .. }) =
            (&mut self.left, &change.kind)
        {
            *left = left.saturating_sub(1);
        }
        Ok(self.left == Some(0))
    }

    /// A status that is not the last one. Machines read the snapshot first: what comes before it goes to stderr.
    pub(super) fn status(&mut self, status: &Status) -> Result<(), Error> {
        if self.status.as_ref() == Some(status) {
            return Ok(());
        }
        self.status = Some(status.clone());
        match self.json {
            true if self.begun => return self.output.json(&status_json(status)),
            true => complain(&text::status(status)),
            false => return self.output.line(&text::status(status)),
        }
        Ok(())
    }
}

fn snapshot_json(snapshot: &Snapshot, reset: bool, limit: usize) -> Value {
    let newest: Vec<_> = snapshot.notifications.iter().take(limit).map(|row| json!(**row)).collect();
    let (position, pending) = (snapshot.position, snapshot.pending);
    let mut line = json!({"type": "snapshot", "notifications": newest, "seq": position.seq, "tag": position.tag, "pending": pending});
    if let (true, Some(line)) = (reset, line.as_object_mut()) {
        line.insert("reset".to_owned(), true.into());
    }
    line
}

/// The change as it stands in the log, its kind as the line's type.
fn change_json(change: &Change) -> Value {
    let mut line = json!(change);
    if let Some(line) = line.as_object_mut() {
        let kind = line.remove("kind").unwrap_or_default();
        line.insert("type".to_owned(), kind);
    }
    line
}

fn status_json(status: &Status) -> Value {
    match status {
        Status::Failed(reason) => json!({"type": "status", "status": "failed", "reason": reason}),
        status => json!({"type": "status", "status": name(status)}),
    }
}

pub(super) fn name(status: &Status) -> &'static str {
    match status {
        Status::Idle => "idle",
        Status::Starting => "starting",
        Status::Live => "live",
        Status::CatchingUp => "catching_up",
        Status::Offline => "offline",
        Status::Paused => "paused",
        Status::Failed(_) => "failed",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_its_record_with_its_kind_as_type() {
        let record = json!({"seq": 43, "tag": "00000000000000ab", "prev": "00000000000000aa", "pending": 6,
            "at": "2026-01-31T09:30:00Z", "kind": "removed", "ids": ["a"], "reason": "user"});
        let change: Change = serde_json::from_value(record).unwrap();
        let line = json!({"type": "removed", "ids": ["a"], "reason": "user", "seq": 43, "tag": "00000000000000ab",
            "prev": "00000000000000aa", "pending": 6, "at": "2026-01-31T09:30:00Z"});
        assert_eq!(change_json(&change), line);
    }

    #[test]
    fn only_a_snapshot_after_a_reset_says_so() {
        let snapshot = Snapshot::default();
        let line = json!({"type": "snapshot", "notifications": [], "seq": 0, "tag": null, "pending": 0});
        assert_eq!(snapshot_json(&snapshot, false, 50), line);
        assert_eq!(snapshot_json(&snapshot, true, 50)["reset"], true);
    }

    #[test]
    fn a_failed_status_says_why() {
        let line = status_json(&Status::Failed("no".into()));
        assert_eq!(line, json!({"type": "status", "status": "failed", "reason": "no"}));
        assert_eq!(status_json(&Status::CatchingUp), json!({"type": "status", "status": "catching_up"}));
    }
}
