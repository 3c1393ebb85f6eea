use serde_json::{Value, json};

use crate::server::Server;

#[test]
fn a_push_is_retracted_whether_scheduled_or_delivered() {
    let server = Server::start();
    let later =
        ["--to", "ada", "--to", "bob", "--id", "later", "--send-after", "2100-01-01T00:00:00Z", "later"];
    assert_eq!(server.push(&later).ok(), "later: 0 accepted, 0 duplicates, 2 scheduled");
    assert_eq!(server.run_as_backend(&["retract", "later"]).ok(), "later: 2 cancelled, 0 removed");
    server.push(&["--to", "ada", "--id", "now", "now"]).ok();
    let retracted: Value =
        serde_json::from_str(server.run_as_backend(&["retract", "--json", "now"]).ok()).unwrap();
    assert_eq!(retracted, json!({"id": "now", "cancelled": 0, "removed": 1}));
    assert!(server.run_as_backend(&["retract", "never"]).error(1).contains("404"));
    let token = server.token("ada", &["--push"]);
    assert!(server.run_as(&token, &["retract", "now"]).error(1).contains("403"));
}
