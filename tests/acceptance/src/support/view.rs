use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An inbox as folded from the lines of `tail --json` or from the pages of `changes`.
#[derive(Default)]
pub(crate) struct View {
    /// Newest first. After a reset: the rows of its snapshot and those added since.
    pub(crate) rows: Vec<Value>,
    pub(crate) seq: u64,
    pub(crate) tag: Value,
    pub(crate) pending: u64,
    /// How often each id was added.
    pub(crate) added: BTreeMap<String, u32>,
    pub(crate) snapshots: u32,
    pub(crate) resets: u32,
    pub(crate) status: String,
    /// How often the connection was lost.
    pub(crate) offline: u32,
    /// Whether the reader has ended.
    pub(crate) ended: bool,
    /// Broken promises, described.
    pub(crate) flaws: Vec<String>,
}

impl View {
    /// Applies a line of `tail --json`.
    pub(crate) fn apply_line(&mut self, line: &Value) {
        match line["type"].as_str().unwrap_or_default() {
            "status" => {
                line["status"].as_str().unwrap_or_default().clone_into(&mut self.status);
                self.offline += u32::from(self.status == "offline");
            }
            "snapshot" => self.apply_snapshot(line),
            kind => self.apply_change(kind, line),
        }
    }

    fn apply_snapshot(&mut self, line: &Value) {
        self.snapshots += 1;
        self.resets += u32::from(line["reset"] == true);
        if self.snapshots > 1 && line["reset"] != true {
            self.flaws.push("a second snapshot without a reset".to_owned());
        }
        self.rows = line["notifications"].as_array().cloned().unwrap_or_default();
        self.set_position(line);
    }

    fn set_position(&mut self, line: &Value) {
        (self.seq, self.tag) = (line["seq"].as_u64().unwrap_or_default(), line["tag"].clone());
        self.pending = line["pending"].as_u64().unwrap_or_default();
    }

    /// Applies a change of the log.
    pub(crate) fn apply_change(&mut self, kind: &str, change: &Value) {
        if change["seq"] != self.seq + 1 || change["prev"] != self.tag {
            self.flaws.push(format!(
                "{} {} does not follow {} {}",
                change["seq"], change["prev"], self.seq, self.tag
            ));
        }
        let ids = change["ids"].as_array().cloned().unwrap_or_default();
        let is_named = |row: &Value| ids.contains(&row["id"]);
        let opened = json!({"opened": true, "opened_at": change["at"]});
        let unopened = json!({"opened": false, "opened_at": null});
        match kind {
            "added" => {
                let row = change["notification"].clone();
                *self.added.entry(row["id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
                self.rows.insert(0, row);
            }
            "opened" => self.update(&opened, |row| is_named(row) && row["opened"] == false),
            "unopened" => self.update(&unopened, is_named),
            "removed" => self.rows.retain(|row| !is_named(row)),
            "opened_all" => {
                let through = change["through"].as_u64();
                self.update(&opened, |row| row["added"].as_u64() <= through && row["opened"] == false);
            }
            _ => self.flaws.push(format!("a change of kind {kind}")),
        }
        self.set_position(change);
    }

    fn update(&mut self, fields: &Value, which: impl Fn(&Value) -> bool) {
        for row in self.rows.iter_mut().filter(|row| which(row)) {
            for (name, value) in fields.as_object().into_iter().flatten() {
                row[name] = value.clone();
            }
        }
    }

    /// Asserts that each of these ids was added exactly once.
    #[track_caller]
    pub(crate) fn assert_added_once<'i>(&self, ids: impl IntoIterator<Item = &'i String>) {
        let wrong = |id: &&String| self.added.get(*id) != Some(&1);
        let wrong: Vec<_> = ids.into_iter().filter(wrong).map(|id| (id, self.added.get(id))).collect();
        assert!(wrong.is_empty(), "not added exactly once: {wrong:?}");
    }

    #[track_caller]
    pub(crate) fn assert_no_flaws(&self) {
        assert!(self.flaws.is_empty(), "{:?}", self.flaws);
    }
}

#[test]
fn a_gap_a_different_history_and_an_unexpected_snapshot_are_flaws() {
    let snapshot = json!({"type": "snapshot", "notifications": [], "seq": 0, "tag": null, "pending": 0});
    let opened_all = |seq: u64, tag: &str, prev: Value| json!({"type": "opened_all", "through": 0, "seq": seq, "tag": tag, "prev": prev, "pending": 0});
    let flaws = |lines: &[&Value]| {
        let mut view = View::default();
        lines.iter().for_each(|line| view.apply_line(line));
        view.flaws.len()
    };
    let (first, second) = (opened_all(1, "a", json!(null)), opened_all(2, "b", json!("a")));
    assert_eq!(flaws(&[&snapshot, &first, &second]), 0);
    assert_eq!(flaws(&[&snapshot, &second]), 1);
    assert_eq!(flaws(&[&snapshot, &first, &first]), 1);
    assert_eq!(flaws(&[&snapshot, &first, &opened_all(2, "b", json!("c"))]), 1);
    assert_eq!(flaws(&[&snapshot, &first, &snapshot]), 1);
    let mut reset = snapshot.clone();
    reset["reset"] = json!(true);
    assert_eq!(flaws(&[&snapshot, &first, &reset, &first]), 0);
}
