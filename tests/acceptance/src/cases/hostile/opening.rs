use crate::support::target::{Target, brackets, request};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn invalid_requests_to_open_and_unopen_are_rejected_or_have_no_effect() {
    let mut target = Target::start().await;
    let ada = target.ada.clone();
    let tag = "0123456789abcdef";
    let many: Vec<String> = (0..501).map(|number| number.to_string()).collect();
    let both = [
        json!(null),
        json!([]),
        json!([["one"], false]),
        json!("one"),
        json!({}),
        json!({"ids": []}),
        json!({"ids": null}),
        json!({"ids": "one"}),
        json!({"ids": {"one": true}}),
        json!({"ids": [1]}),
        json!({"ids": [null]}),
        json!({"ids": [["one"]]}),
        json!({"ids": [""]}),
        json!({"ids": ["a\nb"]}),
        json!({"ids": ["i".repeat(129)]}),
        json!({"ids": many}),
        json!({"ids": ["one"], "all": true}),
        json!({"ids": ["one"], "through": 1}),
        json!({"ids": ["one"], "tag": tag}),
        json!({"ids": ["one"], "op": ""}),
        json!({"ids": ["one"], "op": 1}),
        json!({"ids": ["one"], "op": "o".repeat(65)}),
        json!({"ids": ["one"], "op": "a\0"}),
        json!({"all": false}),
        json!({"all": "true"}),
        json!({"all": 1}),
        json!({"all": [true]}),
    ];
    let all = |changes: Value| {
        let mut body = json!({"all": true});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let opened = [
        (422, all(json!({"through": -1}))),
        (422, all(json!({"through": 1.5}))),
        (422, all(json!({"through": "1"}))),
        (422, all(json!({"through": 1e30}))),
        (422, all(json!({"through": 1, "tag": 7}))),
        (422, all(json!({"through": 1, "tag": "TAG"}))),
        (422, all(json!({"tag": tag}))),
        (409, all(json!({"through": 3, "tag": tag}))),
        (409, all(json!({"through": u64::MAX, "tag": tag}))),
        (409, all(json!({"through": u64::MAX}))),
        (409, all(json!({"through": i64::MAX}))),
    ];
    for (route, more) in [("opened", opened.to_vec()), ("unopened", vec![(422, json!({"all": true}))])] {
        let path = format!("/v1/inbox/{route}");
        for (status, body) in both.iter().map(|body| (422, body.clone())).chain(more) {
            let body = body.to_string();
            let what: String = format!("{route} {body}").chars().take(70).collect();
            target.expect(&what, status, request("POST", &path, &ada, body)).await;
        }
        let nested = format!(r#"{{"ids":{}}}"#, brackets(20_000));
        for (status, body) in [
            (400, ""),
            (400, "{"),
            (400, r#"{"ids":["one"#),
            (400, "ids=one"),
            (400, "\0"),
            (400, "{\"ids\":[\"a\tb\"]}"),
            (400, &"[".repeat(20_000)),
            (422, &brackets(20_000)),
            (422, &nested),
        ] {
            let what: String = format!("{route} {body:?}").chars().take(40).collect();
            target.expect(&what, status, request("POST", &path, &ada, body.to_owned())).await;
        }
        target.expect("3 MiB", 413, request("POST", &path, &ada, vec![b' '; 3 << 20])).await;
        // Ids that are unknown or belong to others are skipped.
        let skipped = json!({"ids": ["unknown", "bobs", "'; DROP TABLE inboxes;--"]}).to_string();
        target.expect("unknown ids", 200, request("POST", &path, &ada, skipped)).await;
    }
    target.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_user_can_read_or_change_another_users_inbox() {
    let mut target = Target::start().await;
    let ada = target.ada.clone();
    let mut shop = target.server.backend();
    assert!(shop.push(&["carol"], &json!({"id": "carols", "content": "for carol alone"})).await.unwrap());
    for method in ["GET", "DELETE"] {
        let path = "/v1/inbox/notifications/carols";
        target.expect(method, 404, request(method, path, &ada, "")).await;
    }
    for route in ["opened", "unopened"] {
        let answer =
            target.server.user("ada").post(&format!("/v1/inbox/{route}"), &json!({"ids": ["carols"]})).await;
        assert_eq!(answer.with(200)["seq"], Value::Null);
    }
    // Only the token decides whose inbox it is.
    for path in [
        "/v1/inbox?user_id=carol",
        "/v1/inbox?user=carol&sub=carol",
        "/v1/inbox/changes?after=0&user_id=carol",
    ] {
        let answer = target.server.user("ada").get(path).await.with(200);
        assert!(!answer.to_string().contains("for carol alone"), "{path}");
    }
    let carols = target.server.user("carol").get("/v1/inbox").await.with(200);
    assert_eq!((&carols["seq"], &carols["pending"]), (&json!(1), &json!(1)));
    target.assert_unharmed().await;
}
