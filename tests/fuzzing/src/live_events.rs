//! Live events and answers of a hostile server, applied to the replica.

use std::collections::HashSet;

use internal_notifications_models::{LiveEvent, OpId, Timestamp};
use internal_notifications_service::{Inbox, InboxCommand, InboxQuery};

/// How many notifications the replica holds at the start.
const WINDOW: usize = 4;

/// Plays the input, one step per line. `live DATA`, `snapshot JSON`, `changes JSON`, `older JSON`
/// and `head JSON` come from the server; `more N`, `catch-up`, `open ID`, `open-all` and `remove
/// ID` come from the app.
pub fn run(input: &[u8]) {
    let script = String::from_utf8_lossy(input);
    let mut inbox = Inbox::new(WINDOW);
    let mut most = WINDOW;
    for (index, line) in script.lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "more" => most += inbox.load_older(rest.parse().unwrap_or(1)).unwrap_or(0),
            "catch-up" => inbox.catch_up(),
            "open" | "open-all" | "remove" => write(&mut inbox, index, word, rest),
            _ => answer(&mut inbox, word, rest),
        }
        check(&inbox, most);
    }
}

fn answer(inbox: &mut Inbox, word: &str, json: &str) {
    let at = inbox.head().position;
    match word {
        "live" => match LiveEvent::parse(json) {
            Some(event) => drop(inbox.on_live(event)),
            None => inbox.catch_up(),
        },
        "snapshot" => drop(serde_json::from_str(json).map(|page| inbox.on_snapshot(page))),
        "changes" => drop(serde_json::from_str(json).map(|changes| inbox.on_changes(at, changes))),
        "older" => drop(serde_json::from_str(json).map(|page| {
            if let Some(InboxQuery::Older { before, .. }) = inbox.next_query() {
                inbox.on_older(at, before, page);
            }
        })),
        "head" => drop(serde_json::from_str(json).map(|head| match inbox.next_write() {
            Some(write) => inbox.on_written(&write.op, at, head),
            None => inbox.on_head(at, head),
        })),
        _ => {}
    }
}

fn write(inbox: &mut Inbox, index: usize, word: &str, id: &str) {
    let id = id.parse();
    let command = match (word, id) {
        ("open", Ok(id)) => InboxCommand::Opened(vec![id]),
        ("remove", Ok(id)) => InboxCommand::Remove(id),
        ("open-all", _) => {
            let position = inbox.head().position;
            InboxCommand::OpenedAll { through: Some(position.seq), tag: position.tag }
        }
        _ => return,
    };
    let op: OpId = format!("op-{index}").parse().unwrap();
    let _ = inbox.write(op, command, Timestamp::UNIX_EPOCH);
}

/// Checks that the list is sorted, without duplicates, and not too long.
fn check(inbox: &Inbox, most: usize) {
    let rows: Vec<_> = inbox.rows().collect();
    assert!(rows.len() <= most, "{} rows, {most} at most", rows.len());
    assert!(rows.is_sorted_by(|newer, older| newer.added > older.added), "not sorted: {rows:?}");
    let ids: HashSet<_> = rows.iter().map(|row| &row.id).collect();
    assert_eq!(ids.len(), rows.len(), "duplicates in the list: {rows:?}");

    let shown = inbox.shown();
    assert!(shown.is_sorted_by(|newer, older| newer.added > older.added), "not sorted: {shown:?}");
    assert!(shown.iter().all(|row| ids.contains(&row.id)), "shown, but not held");
    if let Some(InboxQuery::Older { before, limit }) = inbox.next_query() {
        assert!(
            before > 0 && limit > 0 && rows.len() < most,
            "wants older notifications without room for them"
        );
    }
}
