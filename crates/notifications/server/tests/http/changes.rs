use serde_json::{Value, json};

use crate::app::TestApp;

/// Returns all changes, page by page.
async fn walk(app: &TestApp, limit: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::<Value>::new(), "after=0".to_owned());
    loop {
        let answer = app.get("ada", &format!("/v1/inbox/changes?{after}&limit={limit}")).await;
        assert_eq!((answer.status, &answer.body["kind"]), (200, &json!("changes")), "{answer:?}");
        let page = answer.body["changes"].as_array().unwrap();
        assert!(page.len() <= limit);
        all.extend(page.iter().cloned());
        if answer.body["more"] == false {
            return all;
        }
        let last = all.last().unwrap();
        after = format!("after={}&tag={}", last["seq"], last["tag"].as_str().unwrap());
    }
}

#[tokio::test]
async fn pages_of_changes_are_contiguous_and_complete() {
    let app = TestApp::start().await;
    app.fill("ada", 15).await;
    app.post("ada", "/v1/inbox/opened", json!({"ids": ["n1", "n2"]})).await;
    app.post("ada", "/v1/inbox/unopened", json!({"ids": ["n1"]})).await;
    app.delete("ada", "/v1/inbox/notifications/n3").await;
    app.post("ada", "/v1/inbox/opened", json!({"all": true})).await;
    let all = walk(&app, 7).await;
    let seqs: Vec<u64> = all.iter().map(|change| change["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=19).collect::<Vec<u64>>());
    let mut prev = Value::Null;
    for change in &all {
        assert_eq!(change["prev"], prev, "{change}");
        prev = change["tag"].clone();
    }
    let kinds: Vec<&str> = all[15..].iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["opened", "unopened", "removed", "opened_all"]);
    assert_eq!((&all[2]["gone"], &all[2]["notification"]), (&json!(true), &json!({"id": "n3"})));
    assert_eq!(all[0]["notification"]["opened"], false, "as it was added");
    let head = app.get("ada", "/v1/inbox/head").await.body;
    assert_eq!((&head["tag"], &head["pending"]), (&prev, &json!(0)));
}

#[tokio::test]
async fn a_position_of_another_history_is_answered_with_a_snapshot() {
    let app = TestApp::start().await;
    app.fill("ada", 3).await;
    for after in [
        "after=2&tag=0123456789abcdef".to_owned(),
        "after=9&tag=0123456789abcdef".to_owned(),
        format!("after={}&tag=0123456789abcdef", u64::MAX),
    ] {
        let answer = app.get("ada", &format!("/v1/inbox/changes?{after}")).await;
        assert_eq!(
            (&answer.body["kind"], &answer.body["reason"]),
            (&json!("reset"), &json!("diverged")),
            "{after}"
        );
        let snapshot = &answer.body["snapshot"];
        assert_eq!((&snapshot["seq"], snapshot["notifications"].as_array().unwrap().len()), (&json!(3), 3));
    }
}
