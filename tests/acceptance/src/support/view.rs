use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An inbox as somebody knows who only reads `tail --json`, or walks `changes`.
#[derive(Default)]
pub(crate) struct View {
    /// Newest first. After a reset only what its snapshot held, and what came since.
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
    /// The reader has ended.
    pub(crate) ended: bool,
    /// What must not have happened.
    pub(crate) flaws: Vec<String>,
}

impl View {
    /// Takes in a line of `tail --json`.
    pub(crate) fn line(&mut self, line: &Value) {
        match line["type"].as_str().unwrap_or_default() {
            "status" => {
                line["status"].as_str().unwrap_or_default().clone_into(&mut self.status);
                self.offline += u32::from(self.status == "offline");
            }
            "snapshot" => self.snapshot(line),
            kind => self.change(kind, line),
        }
    }

    fn snapshot(&mut self, line: &Value) {
        self.snapshots += 1;
        self.resets += u32::from(line["reset"] == true);
        if self.snapshots > 1 && line["reset"] != true {
            self.flaws.push("a second snapshot that is no reset".to_owned());
        }
        self.rows = line["notifications"].as_array().cloned().unwrap_or_default();
        self.position(line);
    }

    fn position(&mut self, line: &Value) {
        (self.seq, self.tag) = (line["seq"].as_u64().unwrap_or_default(), line["tag"].clone());
        self.pending = line["pending"].as_u64().unwrap_or_default();
    }

    /// Takes in a change of the log.
    pub(crate) fn change(&mut self, kind: &str, change: &Value) {
        if change["seq"] != self.seq + 1 || change["prev"] != self.tag {
            self.flaws.push(format!(
                "{} {} does not follow {} {}",
                change["seq"], change["prev"], self.seq, self.tag
            ));
        }
        let ids = change["ids"].as_array().cloned().unwrap_or_default();
        let named = |row: &Value| ids.contains(&row["id"]);
        let opened = json!({"opened": true, "opened_at": change["at"]});
        let unopened = json!({"opened": false, "opened_at": null});
        match kind {
            "added" => {
                let row = change["notification"].clone();
                *self.added.entry(row["id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
                self.rows.insert(0, row);
            }
            "opened" => self.set(&opened, |row| named(row) && row["opened"] == false),
            "unopened" => self.set(&unopened, named),
            "removed" => self.rows.retain(|row| !named(row)),
            "opened_all" => {
                let through = change["through"].as_u64();
                self.set(&opened, |row| row["added"].as_u64() <= through && row["opened"] == false);
            }
            _ => self.flaws.push(format!("a change of kind {kind}")),
        }
        self.position(change);
    }

    fn set(&mut self, fields: &Value, which: impl Fn(&Value) -> bool) {
        for row in self.rows.iter_mut().filter(|row| which(row)) {
            for (name, value) in fields.as_object().into_iter().flatten() {
                row[name] = value.clone();
            }
        }
    }

    /// All of these were added, each once.
    #[track_caller]
    pub(crate) fn had_each_once<'i>(&self, ids: impl IntoIterator<Item = &'i String>) {
        let wrong = |id: &&String| self.added.get(*id) != Some(&1);
        let wrong: Vec<_> = ids.into_iter().filter(wrong).map(|id| (id, self.added.get(id))).collect();
        assert!(wrong.is_empty(), "not added once: {wrong:?}");
    }

    #[track_caller]
    pub(crate) fn is_flawless(&self) {
        assert!(self.flaws.is_empty(), "{:?}", self.flaws);
    }
}

#[test]
fn a_gap_another_history_and_an_unasked_snapshot_are_flaws() {
    let snapshot = json!({"type": "snapshot", "notifications": [], "seq": 0, "tag": null, "pending": 0});
    let opened_all = |seq: u64, tag: &str, prev: Value| json!({"type": "opened_all", "through": 0, "seq": seq, "tag": tag, "prev": prev, "pending": 0});
    let flaws = |lines: &[&Value]| {
        let mut view = View::default();
        lines.iter().for_each(|line| view.line(line));
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
