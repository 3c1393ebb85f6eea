use serde_json::{Value, json};

use crate::command_runner::run;
use crate::server::Server;
use crate::tail_process::tail;

#[test]
fn tail_prints_pushed_and_opened_notifications() {
    let server = Server::start();
    let ada = server.token("ada", &["--push"]);
    let bob = server.token("bob", &[]);

    server.push(&["--to", "ada", "--id", "first", "before anybody looks"]).ok();
    let mut adas = tail(&server.url, "ada", &ada, &["--json", "--count", "2", "--timeout", "30"]);
    let snapshot = adas.until("snapshot");
    assert_eq!(snapshot["notifications"][0]["id"], "first");
    assert_eq!((&snapshot["seq"], &snapshot["pending"]), (&json!(1), &json!(1)));
    assert_eq!(snapshot.get("reset"), None);
    adas.until_live();

    let args =
        ["--to", "ada", "--to", "bob", "--id", "second", "--heading", "H", "--payload", r#"{"order":1815}"#];
    let more =
        ["--image-url", "https://example.org/a.png", "--button", "yes=Yes, please", "--json", "for both"];
    let receipt: Value = serde_json::from_str(server.push(&[&args[..], &more].concat()).ok()).unwrap();
    assert_eq!(receipt, json!({"id": "second", "accepted": 2, "duplicates": 0, "scheduled": 0}));
    let added = adas.until("added");
    let notification = &added["notification"];
    assert_eq!(notification["content"], "for both");
    assert_eq!(notification["payload"], json!({"order": 1815}));
    assert_eq!(notification["buttons"], json!([{"id": "yes", "text": "Yes, please", "icon": null}]));
    assert_eq!(notification["sender"], "key:shop");
    assert_eq!((&added["seq"], &added["pending"]), (&json!(2), &json!(2)));
    assert!(added["tag"].is_string() && added.get("kind").is_none(), "{added}");

    let answer = server.run_as(&ada, &["open", "--user", "ada", "--json", "first"]);
    let answer: Value = serde_json::from_str(answer.ok()).unwrap();
    assert_eq!((&answer["seq"], &answer["pending"]), (&json!(3), &json!(1)));
    let opened = adas.until("opened");
    assert_eq!(opened["ids"], json!(["first"]));
    assert_eq!(opened["pending"], 1);
    server.run_as(&ada, &["open", "--user", "ada", "--all"]).ok();
    let all = adas.until("opened_all");
    assert_eq!((&all["through"], &all["pending"]), (&json!(3), &json!(0)));

    let readable = server.run_as(&ada, &["push", "--to", "bob", "--id", "readable", "c"]);
    assert!(readable.error(1).contains("UUID"), "only a backend takes a readable id");
    server.run_as(&ada, &["push", "--to", "bob", "--to", "ada", "from one user to another"]).ok();
    let (code, stderr) = adas.end();
    assert_eq!((code, stderr.as_str()), (0, ""), "after two added lines");
    assert_eq!(adas.all("added").len(), 2);

    let mut bobs = tail(&server.url, "bob", &bob, &["--json", "--limit", "1"]);
    let snapshot = bobs.until("snapshot");
    assert_eq!(snapshot["notifications"].as_array().unwrap().len(), 1, "the newest of two: {snapshot}");
    assert_eq!(snapshot["notifications"][0]["sender"], "user:ada");
    assert_eq!(snapshot["pending"], 2);
}

#[test]
fn a_snapshot_of_several_pages_is_one_line_and_later_pushes_count() {
    let server = Server::start();
    let ada = server.token("ada", &[]);
    for number in 1..=202 {
        server.push(&["--to", "ada", &number.to_string()]).ok();
    }
    let args = ["--json", "--limit", "201", "--count", "1", "--timeout", "30"];
    let mut tail = tail(&server.url, "ada", &ada, &args);
    let snapshot = tail.until("snapshot");
    let contents: Vec<_> =
        snapshot["notifications"].as_array().unwrap().iter().map(|row| &row["content"]).collect();
    assert_eq!((contents.len(), contents[0], contents[200]), (201, &json!("202"), &json!("2")));
    server.push(&["--to", "ada", "new"]).ok();
    assert_eq!(tail.end().0, 0);
    assert_eq!(tail.all("added").len(), 1);
}

#[test]
fn a_rejected_push_fails_with_the_servers_reason() {
    let server = Server::start();
    let bob = server.token("bob", &[]);
    let refused = server.run_as(&bob, &["push", "--to", "ada", "without the scope"]);
    assert!(refused.error(1).contains("403"), "{}", refused.stderr);
    assert!(server.run_as("nonsense", &["push", "--to", "ada", "c"]).error(1).contains("401"));
    server.push(&["--to", "ada", "--id", "taken", "one body"]).ok();
    assert!(server.push(&["--to", "ada", "--id", "taken", "one body"]).ok().contains("1 duplicates"));
    assert!(server.push(&["--to", "ada", "--id", "taken", "another body"]).error(1).contains("409"));
    let over = ["--to", "ada", "--expires-at", "2000-01-01T00:00:00Z", "yesterday's news"];
    assert!(server.push(&over).error(1).contains("422"));
    let unsent =
        ["--to", "ada", "--send-after", "2100-01-01T00:00:00Z", "--expires-at", "2099-01-01T00:00:00Z", "c"];
    assert!(server.push(&unsent).error(2).contains("expires_at"));
}

#[test]
fn text_from_outside_cannot_control_the_terminal() {
    let server = Server::start();
    let ada = server.token("ada", &[]);
    let mut human = tail(&server.url, "ada", &ada, &[]);
    human.until_line(|line| line.contains("live"));
    let mut machine = tail(&server.url, "ada", &ada, &["--json"]);
    machine.until_live();
    let hostile = "\u{1b}[2J\u{9b}1m\u{202e}txt\nforged line";
    server.push(&["--to", "ada", "--heading", hostile, hostile]).ok();
    let shown = human.until_line(|line| line.contains("forged"));
    assert!(shown.contains(r"\u{1b}[2J\u{9b}1m\u{202e}txt\nforged line"), "{shown}");
    let line = machine.until_line(|line| line.contains("forged"));
    assert!(!line.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{line}");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["notification"]["content"], hostile);
}

#[test]
fn the_error_for_an_unreachable_server_names_the_cause_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let env = [("INTERNAL_NOTIFICATIONS_URL", url.as_str()), ("INTERNAL_NOTIFICATIONS_TOKEN", "token")];
    let finished = run(&["open", "--user", "ada", "--all"], &env);
    let error = finished.error(1);
    assert!(error.contains("cannot be reached: "), "{error}");
    assert_eq!(error.to_lowercase().matches("refused").count(), 1, "{error}");
}
