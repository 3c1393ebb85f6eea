//! Runs the steps of a case against a replica.

use internal_notifications_models::{
    ChangesAnswer, Head, InboxPage, LiveEvent, NotificationId, OpId, Position, ResetReason,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::expand::{change, ids, live, page, point, position, repeated, seconds, text, time};
use crate::inbox::{Inbox, InboxEvent, InboxQuery, WriteRequest};
use crate::{Announcement, InboxCommand};

const STATE_KEYS: [&str; 6] = ["shown", "pending", "head", "low", "next_query", "writes"];
const STEP_KEYS: [&str; 4] = ["events", "opened_at", "next_write", "unreadable"];

/// Runs a case. An error names the step that fails, and how.
pub(super) fn run(case: &Value) -> Result<(), String> {
    let window = case["window"].as_u64().unwrap_or(3);
    let mut inbox = Inbox::new(usize::try_from(window).unwrap());
    let mut state =
        json!({"shown": "", "pending": 0, "head": "0", "low": 0, "next_query": "snapshot", "writes": ""});
    compare("at the start", &current(&inbox, &state), &state)?;
    for (index, short) in case["steps"].as_array().unwrap().iter().enumerate() {
        let at = format!("step {} {short}", index + 1);
        let steps = repeated(short);
        for step in &steps {
            let (events, unreadable) = run_step(&mut inbox, step);
            let then = &step["then"];
            compare(&at, &events, then.get("events").unwrap_or(&json!([])))?;
            compare(&at, &json!(unreadable), then.get("unreadable").unwrap_or(&json!(false)))?;
        }
        let nothing = Map::new();
        let then = steps.last().and_then(|step| step["then"].as_object()).unwrap_or(&nothing);
        for (key, value) in then {
            if STATE_KEYS.contains(&key.as_str()) {
                state[key] = value.clone();
            } else {
                assert!(STEP_KEYS.contains(&key.as_str()), "{at}: `{key}` is unknown");
            }
        }
        compare(&at, &current(&inbox, &state), &state)?;
        if let Some(write) = then.get("next_write") {
            compare(&at, &json!(inbox.next_write().map(sent)), write)?;
        }
        for (id, opened_at) in then.get("opened_at").and_then(Value::as_object).unwrap_or(&nothing) {
            let shown = inbox.shown();
            let row = shown.iter().find(|row| row.id.as_str() == id);
            let row = row.ok_or_else(|| format!("{at}: {id} is not shown"))?;
            compare(&at, &json!(row.opened_at.map(seconds)), opened_at)?;
        }
    }
    Ok(())
}

fn compare(at: &str, is: &Value, should: &Value) -> Result<(), String> {
    if is == should { Ok(()) } else { Err(format!("{at}: {is}, not {should}")) }
}

/// Returns the state of the replica, in as much detail as the expected state.
fn current(inbox: &Inbox, should: &Value) -> Value {
    let star = |id: &str, has: bool| if has { format!("{id}*") } else { id.to_owned() };
    let shown: Vec<_> = inbox.shown().iter().map(|row| star(row.id.as_str(), row.opened)).collect();
    let writes: Vec<_> =
        inbox.overlay.iter().map(|write| star(write.op.as_str(), write.is_answered())).collect();
    json!({
        "shown": shown.join(" "),
        "pending": inbox.head().pending,
        "head": point(inbox.head().position),
        "low": inbox.low(),
        "next_query": inbox.next_query().map(|ask| match ask {
            InboxQuery::Snapshot => "snapshot".to_owned(),
            InboxQuery::Changes { after } => format!("changes {}", point(after)),
            InboxQuery::Older { before, limit } => format!("older {before} limit {limit}"),
        }),
        "writes": if should["writes"].is_u64() { json!(writes.len()) } else { json!(writes.join(" ")) },
    })
}

/// Runs a step. Returns what happened, and whether the replica refused to read it.
fn run_step(inbox: &mut Inbox, step: &Value) -> (Value, bool) {
    match perform(inbox, step) {
        Some(events) => (json!(events), false),
        None => (json!([]), true),
    }
}

/// Returns what happened, or `None` if the replica refused to read the step.
fn perform(inbox: &mut Inbox, step: &Value) -> Option<Vec<String>> {
    let at = inbox.head().position;
    let asked = |key: &str| step.get(key).map_or(at, |point| position(text(point)));
    let head = || Head::new(position(text(&step["head"])), 0);
    let is = |name: &str| step.get(name).is_some();
    if is("live") {
        let event = LiveEvent::parse(&live(&step["live"]).to_string());
        if event.is_none() {
            inbox.catch_up();
        }
        return event.map(|event| described(inbox.on_live(event)));
    }
    if is("answer") {
        return on_answer(inbox, &step["answer"]);
    }
    Some(if is("snapshot") {
        described(inbox.on_snapshot(parsed(page(&step["snapshot"]))))
    } else if is("changes") {
        let changes: Vec<_> = step["changes"].as_array().unwrap().iter().map(change).collect();
        let more = step["more"].as_bool().unwrap_or(false);
        let answer: ChangesAnswer = parsed(json!({"kind": "changes", "changes": changes, "more": more}));
        described(inbox.on_changes(asked("after"), answer))
    } else if is("reset") {
        let answer: ChangesAnswer =
            parsed(json!({"kind": "reset", "reason": step["reset"], "snapshot": page(&step["page"])}));
        described(inbox.on_changes(asked("after"), answer))
    } else if is("older") {
        let before = step["before"].as_u64().unwrap_or(inbox.low());
        inbox.on_older(asked("asked_at"), before, parsed(page(&step["older"])));
        Vec::new()
    } else if is("written") {
        inbox.on_written(&op(&step["written"]), asked("asked_at"), head());
        Vec::new()
    } else if is("head") {
        inbox.on_head(asked("asked_at"), head());
        Vec::new()
    } else if is("catch_up") {
        inbox.catch_up();
        Vec::new()
    } else if is("write") {
        let written = inbox.write(op(&step["write"]), command(step), time(1000));
        written.err().map(|_| "queue full".to_owned()).into_iter().collect()
    } else if is("refused") {
        described(inbox.on_refused(&op(&step["refused"])))
    } else if is("load_older") {
        let grown = inbox.load_older(usize::try_from(step["load_older"].as_u64()?).unwrap());
        vec![grown.map_or("window full".to_owned(), |more| format!("grew {more}"))]
    } else if is("cancel_older") {
        inbox.cancel_older(usize::try_from(step["cancel_older"].as_u64()?).unwrap());
        Vec::new()
    } else {
        panic!("unknown step: {step}")
    })
}

/// Passes on the answer to the query of the replica.
fn on_answer(inbox: &mut Inbox, answer: &Value) -> Option<Vec<String>> {
    let page = || serde_json::from_value::<InboxPage>(answer.clone()).ok();
    Some(match inbox.next_query() {
        Some(InboxQuery::Snapshot) => described(inbox.on_snapshot(page()?)),
        Some(InboxQuery::Changes { after }) => {
            described(inbox.on_changes(after, serde_json::from_value(answer.clone()).ok()?))
        }
        Some(InboxQuery::Older { before, .. }) => {
            inbox.on_older(inbox.head().position, before, page()?);
            Vec::new()
        }
        None => panic!("the replica has no query"),
    })
}

fn parsed<T: DeserializeOwned>(wire: Value) -> T {
    serde_json::from_value(wire).unwrap()
}

fn op(id: &Value) -> OpId {
    OpId::new(text(id)).unwrap()
}

fn command(step: &Value) -> InboxCommand {
    let id = |id: &str| NotificationId::new(id).unwrap();
    let listed = |list: &Value| ids(list).into_iter().map(id).collect();
    if let Some(list) = step.get("opened") {
        InboxCommand::Opened(listed(list))
    } else if let Some(list) = step.get("unopened") {
        InboxCommand::Unopened(listed(list))
    } else if let Some(seen) = step.get("opened_all") {
        let Position { seq, tag } = position(text(seen));
        InboxCommand::OpenedAll { through: Some(seq), tag }
    } else {
        InboxCommand::Remove(id(text(&step["remove"])))
    }
}

fn sent(write: WriteRequest) -> String {
    let joined =
        |ids: &[NotificationId]| ids.iter().map(NotificationId::as_str).collect::<Vec<_>>().join(" ");
    let what = match &write.command {
        InboxCommand::Opened(ids) => format!("opened {}", joined(ids)),
        InboxCommand::Unopened(ids) => format!("unopened {}", joined(ids)),
        InboxCommand::OpenedAll { through: Some(seq), tag: Some(tag) } => {
            format!("opened_all {}", point(Position { seq: *seq, tag: Some(*tag) }))
        }
        InboxCommand::OpenedAll { .. } => "opened_all whatever there is".to_owned(),
        InboxCommand::Remove(id) => format!("remove {id}"),
    };
    format!("{} {what}", write.op)
}

fn described(events: Vec<InboxEvent>) -> Vec<String> {
    let each = events.into_iter().map(|event| match event {
        InboxEvent::Applied(change) => format!("applied {}", point(change.stamp.position())),
        InboxEvent::Replaced(None) => "replaced".to_owned(),
        InboxEvent::Replaced(Some(reason)) => format!("replaced {}", named(reason)),
        InboxEvent::Announce(Announcement::Notification(row)) => format!("announce {}", row.id),
        InboxEvent::Announce(Announcement::Bare(bare)) => {
            format!("bare {}", bare.id.as_ref().map_or("-", NotificationId::as_str))
        }
        InboxEvent::Announce(Announcement::Skipped) => "skipped".to_owned(),
        InboxEvent::Announce(announcement) => panic!("a replica does not announce {announcement:?}"),
        InboxEvent::RolledBack(write) => format!("rolled back {}", write.op),
    });
    each.collect()
}

fn named(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::Diverged => "diverged",
        ResetReason::Trimmed => "trimmed",
        ResetReason::Behind => "behind",
        _ => "other",
    }
}
