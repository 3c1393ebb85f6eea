use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn the_inbox_is_paged_newest_first() {
    let app = TestApp::start().await;
    let empty = app.get("ada", "/v1/inbox").await;
    assert_eq!(empty.body, json!({"seq": 0, "tag": null, "pending": 0, "notifications": [], "next": null}));
    app.fill("ada", 5).await;
    let first = app.get("ada", "/v1/inbox?limit=2&unknown=1").await;
    assert_eq!(
        (first.ids(), &first.body["pending"], &first.body["seq"]),
        (vec!["n5", "n4"], &json!(5), &json!(5))
    );
    let next = first.body["next"].as_u64().unwrap();
    let second = app.get("ada", &format!("/v1/inbox?limit=2&before={next}")).await;
    assert_eq!(second.ids(), ["n3", "n2"]);
    let last = app.get("ada", &format!("/v1/inbox?limit=2&before={}", second.body["next"])).await;
    assert_eq!((last.ids(), &last.body["next"]), (vec!["n1"], &Value::Null));
    assert_eq!(app.get("ada", &format!("/v1/inbox?before={}", u64::MAX)).await.ids().len(), 5);
    assert!(app.get("ada", "/v1/inbox?before=0").await.ids().is_empty());
    let head = app.get("ada", "/v1/inbox/head").await;
    assert_eq!(head.body, json!({"seq": 5, "tag": first.body["tag"], "pending": 5}));
    assert_eq!(app.get("bob", "/v1/inbox").await.body["seq"], 0, "each user has their own inbox");
}

#[tokio::test]
async fn opening_and_unopening_return_the_change_and_the_head() {
    let app = TestApp::start().await;
    app.fill("ada", 3).await;
    let opened =
        app.post("ada", "/v1/inbox/opened", json!({"ids": ["n1", "n2", "nobody"], "op": "o1"})).await;
    assert_eq!(
        (opened.status, &opened.body["seq"], &opened.body["head"]["pending"]),
        (200, &json!(4), &json!(1))
    );
    let again = app.post("ada", "/v1/inbox/opened", json!({"ids": ["n3"], "op": "o1"})).await;
    assert_eq!(
        (&again.body["seq"], &again.body["head"]["seq"]),
        (&Value::Null, &json!(4)),
        "a repeat does nothing"
    );
    let none = app.post("ada", "/v1/inbox/opened", json!({"ids": ["n1"]})).await;
    assert_eq!((&none.body["seq"], &none.body["head"]["pending"]), (&Value::Null, &json!(1)));
    let one = app.get("ada", "/v1/inbox/notifications/n1").await;
    assert!(one.body["opened"] == true && one.body["opened_at"].is_string());
    let unopened = app.post("ada", "/v1/inbox/unopened", json!({"ids": ["n1"]})).await;
    assert_eq!((&unopened.body["seq"], &unopened.body["head"]["pending"]), (&json!(5), &json!(2)));
    let all = app.post("ada", "/v1/inbox/opened", json!({"all": true})).await;
    assert_eq!((&all.body["seq"], &all.body["head"]["pending"]), (&json!(6), &json!(0)));
    // Another user's ids are unknown.
    assert_eq!(app.post("bob", "/v1/inbox/unopened", json!({"ids": ["n1"]})).await.body["seq"], Value::Null);
}

#[tokio::test]
async fn opening_all_stops_at_what_the_user_saw() {
    let app = TestApp::start().await;
    app.fill("ada", 2).await;
    let seen = app.get("ada", "/v1/inbox/head").await.body;
    app.push(&["ada"], json!({"id": "n3", "content": "new"})).await;
    let (through, tag) = (&seen["seq"], &seen["tag"]);
    let wrong = json!({"all": true, "through": through, "tag": "0123456789abcdef"});
    let diverged = app.post("ada", "/v1/inbox/opened", wrong).await;
    assert_eq!(diverged.problem(), (409, "diverged"));
    assert_eq!(diverged.body["head"]["seq"], 3);
    let beyond = app.post("ada", "/v1/inbox/opened", json!({"all": true, "through": u64::MAX})).await;
    assert_eq!(beyond.problem(), (409, "diverged"));
    let answer =
        app.post("ada", "/v1/inbox/opened", json!({"all": true, "through": through, "tag": tag})).await;
    assert_eq!((answer.status, &answer.body["head"]["pending"]), (200, &json!(1)));
}

#[tokio::test]
async fn a_removed_notification_is_gone_and_a_repeat_is_404_with_the_head() {
    let app = TestApp::start().await;
    app.fill("ada", 1).await;
    let removed = app.delete("ada", "/v1/inbox/notifications/n1?op=r1").await;
    assert_eq!((removed.status, &removed.body["head"]["pending"]), (200, &json!(0)));
    let repeat = app.delete("ada", "/v1/inbox/notifications/n1?op=r1").await;
    assert_eq!((repeat.status, &repeat.body["seq"]), (200, &Value::Null), "the same operation");
    let again = app.delete("ada", "/v1/inbox/notifications/n1").await;
    assert_eq!((again.problem(), &again.body["head"]["seq"]), ((404, "unknown-notification"), &json!(2)));
    assert_eq!(app.get("ada", "/v1/inbox/notifications/n1").await.problem(), (404, "unknown-notification"));
    let pushed = app.push(&["ada"], json!({"id": "n1", "content": "hello"})).await;
    assert_eq!((pushed.status, &pushed.body["duplicates"]), (200, &json!(1)), "ids are remembered");
}

#[tokio::test]
async fn errors_name_query_parameters_that_are_out_of_range() {
    let app = TestApp::start().await;
    for (path, name) in [
        ("/v1/inbox?limit=0", "limit"),
        ("/v1/inbox?limit=201", "limit"),
        ("/v1/inbox?limit=-1", "limit"),
        ("/v1/inbox?limit=%2B5", "limit"),
        ("/v1/inbox?limit=ten", "limit"),
        ("/v1/inbox?limit=1&limit=2", "limit"),
        ("/v1/inbox?limit=99999999999999999999999", "limit"),
        ("/v1/inbox?before=18446744073709551616", "before"),
        ("/v1/inbox?before=1.5", "before"),
        ("/v1/inbox?before=%00", "before"),
        ("/v1/inbox/changes", "after"),
        ("/v1/inbox/changes?after=x", "after"),
        ("/v1/inbox/changes?after=1", "tag"),
        ("/v1/inbox/changes?after=0&tag=0123456789abcdef", "tag"),
        ("/v1/inbox/changes?after=1&tag=0123456789ABCDEF", "tag"),
        ("/v1/inbox/changes?after=1&tag=x", "tag"),
        ("/v1/inbox/changes?after=0&limit=501", "limit"),
    ] {
        let answer = app.get("ada", path).await;
        assert_eq!(answer.problem(), (422, "invalid"), "{path}");
        assert!(answer.body["detail"].as_str().unwrap().contains(&format!("`{name}`")), "{answer:?}");
    }
    let long = format!("/v1/inbox/notifications/n?op={}", "o".repeat(65));
    assert_eq!(app.delete("ada", &long).await.problem(), (422, "invalid"));
    for id in ["a%00b".to_owned(), "%0A".to_owned(), "x".repeat(129)] {
        assert_eq!(app.get("ada", &format!("/v1/inbox/notifications/{id}")).await.status, 422, "{id}");
    }
    assert_eq!(app.get("ada", "/v1/inbox/notifications/%ff").await.problem(), (400, "malformed"));
}

#[tokio::test]
async fn mark_requests_of_another_shape_are_rejected() {
    let app = TestApp::start().await;
    let ids = |count: usize| (0..count).map(|index| json!(format!("n{index}"))).collect::<Value>();
    for body in [
        json!({}),
        json!([]),
        json!({"ids": []}),
        json!({"ids": "n1"}),
        json!({"ids": [1]}),
        json!({"ids": [""]}),
        json!({"ids": ids(501)}),
        json!({"ids": ["n1"], "all": true}),
        json!({"ids": ["n1"], "op": ""}),
        json!({"ids": ["n1"], "op": "o".repeat(65)}),
        json!({"all": "yes"}),
        json!({"all": true, "through": -1}),
        json!({"all": true, "tag": "0123456789abcdef"}),
        json!({"all": true, "through": 1, "tag": "x"}),
    ] {
        let answer = app.post("ada", "/v1/inbox/opened", body.clone()).await;
        assert_eq!(answer.problem(), (422, "invalid"), "{body:.100}");
    }
    assert_eq!(app.post("ada", "/v1/inbox/unopened", json!({"all": true})).await.status, 422);
    assert_eq!(app.post("ada", "/v1/inbox/opened", json!({"ids": ids(500)})).await.status, 200);
}
