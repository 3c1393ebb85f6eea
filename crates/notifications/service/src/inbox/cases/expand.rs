//! Expands the short forms of the table to wire JSON.

use internal_notifications_models::{Position, Tag, Timestamp};
use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;

pub(super) fn position(point: &str) -> Position {
    let digits = point.trim_end_matches(|last: char| matches!(last, 'a'..='f'));
    let history = point.strip_prefix(digits).filter(|history| !history.is_empty()).unwrap_or("a");
    let seq: u64 = digits.parse().unwrap_or_else(|_| panic!("not a point: {point}"));
    let tag: Tag = format!("{history}{seq:015x}").parse().unwrap();
    Position { seq, tag: (seq > 0).then_some(tag) }
}

pub(super) fn point(at: Position) -> String {
    let history = at.tag.and_then(|tag| tag.to_string().chars().next()).filter(|history| *history != 'a');
    let point = format!("{}{}", at.seq, history.map(String::from).unwrap_or_default());
    assert_eq!(position(&point), at, "not a position of the table");
    point
}

pub(super) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

pub(super) fn seconds(time: Timestamp) -> i64 {
    time.as_second() - START
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

pub(super) fn ids(list: &Value) -> Vec<&str> {
    text(list).split_whitespace().collect()
}

/// Reads a number, which is a text if a `#` was replaced by it.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| text(value).parse().unwrap())
}

fn row(short: &str, seq: u64) -> Value {
    let (short, opened) = short.strip_suffix('*').map_or((short, false), |short| (short, true));
    let (short, created) =
        short.split_once('+').map_or((short, None), |(short, at)| (short, Some(at.parse().unwrap())));
    let (id, added) = short.split_once('@').map_or((short, seq), |(id, added)| (id, added.parse().unwrap()));
    let created_at = time(created.unwrap_or(i64::try_from(added).unwrap()));
    json!({
        "id": id, "heading": null, "content": format!("text of {id}"), "payload": null, "image_url": null, "send_after": null,
        "opened": opened, "buttons": [], "created_at": created_at, "opened_at": opened.then_some(created_at),
        "sender": "key:cases", "added": added,
    })
}

pub(super) fn page(short: &Value) -> Value {
    let at = position(text(&short["head"]));
    let rows: Vec<_> = ids(&short["rows"]).into_iter().map(|short| row(short, 0)).collect();
    json!({"seq": at.seq, "tag": at.tag, "pending": number(&short["pending"]), "notifications": rows, "next": short["next"]})
}

fn stamp(short: &Value) -> Value {
    let (point, at) = (text(&short["seq"]), position(text(&short["seq"])));
    let history = point.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let before = format!("{}{history}", at.seq - 1);
    let prev = position(short["prev"].as_str().unwrap_or(&before)).tag;
    let made = short["at"].as_i64().unwrap_or(i64::try_from(at.seq).unwrap());
    json!({"seq": at.seq, "tag": at.tag, "prev": prev, "pending": number(&short["pending"]), "at": time(made)})
}

fn kind(short: &Value) -> Value {
    let seq = position(text(&short["seq"])).seq;
    let is = |name: &str| short.get(name).is_some();
    if is("added") {
        return json!({"kind": "added", "notification": row(text(&short["added"]), seq)});
    }
    if is("gone") {
        return json!({"kind": "added", "gone": true, "notification": {"id": short["gone"]}});
    }
    if is("opened_all") {
        return json!({"kind": "opened_all", "through": number(&short["opened_all"])});
    }
    if is("unknown") {
        return json!({"kind": "snoozed", "until": 7});
    }
    if is("removed") {
        let reason = short["reason"].as_str().unwrap_or("user");
        return json!({"kind": "removed", "ids": ids(&short["removed"]), "reason": reason});
    }
    let name = if is("opened") { "opened" } else { "unopened" };
    json!({"kind": name, "ids": ids(&short[name])})
}

pub(super) fn change(short: &Value) -> Value {
    with(stamp(short), &kind(short))
}

/// Returns the `data` of a live event.
pub(super) fn live(short: &Value) -> Value {
    for as_it_is in ["raw", "bare"] {
        if let Some(data) = short.get(as_it_is) {
            return data.clone();
        }
    }
    if let Some(at) = short.get("thin") {
        return json!({"truncated": true, "inbox": stamp(&json!({"seq": at, "pending": 0}))});
    }
    let (kind, inbox) = (kind(short), json!({"inbox": stamp(short)}));
    let what = if kind["kind"] == "added" { &kind["notification"] } else { &kind };
    with(what.clone(), &inbox)
}

fn with(mut json: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        json[key] = value.clone();
    }
    json
}

/// Returns a step for each number of its `for`, or the step alone.
pub(super) fn repeated(step: &Value) -> Vec<Value> {
    let Some(range) = step.get("for") else { return vec![step.clone()] };
    let text = step.to_string();
    let each = |number: u64| serde_json::from_str(&text.replace('#', &number.to_string())).unwrap();
    (number(&range[0])..=number(&range[1])).map(each).collect()
}
