use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{API_KEY, TestApp, send};
use crate::websocket::Socket;

#[tokio::test]
async fn a_push_is_stored_with_its_sender_once_per_recipient() {
    let app = TestApp::start().await;
    let notification = json!({
        "id": "order/7 é", "heading": "Order", "content": "It is here", "payload": {"n": [1, null]}, "image_url": "https://x/y.png",
        "buttons": [{"id": "b", "text": "Open"}], "opened": false, "unknown": {"kept": true},
    });
    let answer = app.push(&["ada", "bob", "ada"], notification.clone()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body, json!({"id": "order/7 é", "accepted": 2, "duplicates": 0, "scheduled": 0}));
    let again = app.push(&["ada", "bob", "eve"], notification.clone()).await;
    assert_eq!(
        (again.status, &again.body["accepted"], &again.body["duplicates"]),
        (201, &json!(1), &json!(2))
    );
    let again = app.push(&["ada"], notification).await;
    assert_eq!((again.status, &again.body["duplicates"]), (200, &json!(1)));

    let stored = app.get("ada", "/v1/inbox/notifications/order%2F7%20%C3%A9").await;
    assert_eq!(stored.status, 200, "{stored:?}");
    let expected = json!({
        "id": "order/7 é", "heading": "Order", "content": "It is here", "payload": {"n": [1, null]}, "image_url": "https://x/y.png",
        "buttons": [{"id": "b", "text": "Open", "icon": null}], "opened": false, "unknown": {"kept": true}, "send_after": null,
        "sender": "key:shop", "added": 1, "opened_at": null, "created_at": stored.body["created_at"],
    });
    assert_eq!(stored.body, expected);
}

#[tokio::test]
async fn without_an_id_the_server_generates_one_that_sorts() {
    let app = TestApp::start().await;
    let first = app.push(&["ada"], json!({"content": "1"})).await;
    let second = app.push(&["ada"], json!({"content": "1"})).await;
    let id = |answer: &crate::app::Answer| answer.body["id"].as_str().unwrap().to_owned();
    assert!(id(&first) < id(&second) && id(&first).len() == 36, "{first:?} {second:?}");
}

#[tokio::test]
async fn an_id_belongs_to_one_notification_of_one_sender() {
    let app = TestApp::start().await;
    assert_eq!(app.push(&["ada"], json!({"id": "n", "content": "one"})).await.status, 201);
    let other = app.push(&["bob"], json!({"id": "n", "content": "two"})).await;
    assert_eq!(other.problem(), (409, "id-taken"));
    let uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(app.push(&["ada"], json!({"id": uuid, "content": "one"})).await.status, 201);
    let by_user = app.push_as("eve", json!({"id": uuid, "content": "one"})).await;
    assert_eq!(by_user.problem(), (409, "id-taken"));
    assert_eq!(app.get("bob", "/v1/inbox").await.body["seq"], 0, "nothing was stored");
    // The same body, written differently.
    let same = app
        .push_body(r#"{"notification":{"content":"\u006fne","heading":null,"id":"n"},"user_ids":["bob"]}"#);
    assert_eq!(same.await.status, 201);
}

#[tokio::test]
async fn a_user_pushes_under_uuids_and_takes_no_readable_id() {
    let app = TestApp::start().await;
    for id in ["order-1815-shipped", "01890a5dac96774bbcceb302099a8057", "..", "01890a5d"] {
        let refused = app.push_as("eve", json!({"id": id, "content": "squatted"})).await;
        assert_eq!(refused.problem(), (422, "invalid"), "{id}");
    }
    let refused = app.push_as("eve", json!({"id": "order-1815-shipped", "content": "squatted"})).await;
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("UUID") && detail.contains("leave it out"), "{detail}");
    assert_eq!(app.get("bob", "/v1/inbox").await.body["seq"], 0, "nothing was stored");
    let shipped = app.push(&["bob"], json!({"id": "order-1815-shipped", "content": "shipped"})).await;
    assert_eq!(shipped.status, 201, "the id is the backend's: {shipped:?}");
    for id in ["01890a5d-ac96-774b-bcce-b302099a8057", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"] {
        let pushed = app.push_as("eve", json!({"id": id, "content": "c"})).await;
        assert_eq!((pushed.status, &pushed.body["id"]), (201, &json!(id)));
        assert_eq!(app.push_as("eve", json!({"id": id, "content": "c"})).await.status, 200, "a repeat");
    }
    let generated = app.push_as("eve", json!({"content": "c"})).await;
    assert_eq!(generated.status, 201, "{generated:?}");
}

#[tokio::test]
async fn an_id_that_no_url_can_name_is_refused() {
    let app = TestApp::start().await;
    for id in [".", ".."] {
        assert_eq!(app.push(&["ada"], json!({"id": id, "content": "c"})).await.problem(), (422, "invalid"));
    }
    for (id, path) in [("...", "..."), ("%2e%2e", "%252e%252e"), ("../x", "..%2Fx")] {
        assert_eq!(app.push(&["ada"], json!({"id": id, "content": "c"})).await.status, 201, "{id}");
        assert_eq!(app.get("ada", &format!("/v1/inbox/notifications/{path}")).await.body["id"], id);
    }
}

#[tokio::test]
async fn invalid_json_is_400_and_another_shape_is_422() {
    let app = TestApp::start().await;
    let nested = |count: usize| {
        let (open, close) = ("[".repeat(count), "]".repeat(count));
        format!(r#"{{"user_ids":["ada"],"notification":{{"content":"c","payload":{open}{close}}}}}"#)
    };
    for body in [
        "",
        "{",
        "nonsense",
        r#"{"user_ids":["ada"],"notification":{"content":"c"}"#,
        "{}x",
        &nested(20_000),
        &"[".repeat(20_000),
        r#"{"user_ids":["ada"],"notification":{"content":"\ud800"}}"#,
        r#"{"user_ids":["ada"],"notification":{"content":"c","payload":["\udc00"]}}"#,
        r#"{"user_ids":["ada"],"notification":{"content":"c","color":1e}}"#,
        "{\"user_ids\":[\"a\u{0}\"]}",
        r#"{"user_ids": 5, oops"#,
    ] {
        assert_eq!(app.push_body(body.to_owned()).await.problem(), (400, "malformed"), "{body:.80}");
    }
    assert_eq!(app.push_body(vec![0xff, 0x00, 0x80]).await.problem(), (400, "malformed"));
    let good = json!({"content": "c"});
    for (user_ids, notification) in [
        (json!("ada"), good.clone()),
        (json!([]), good.clone()),
        (json!([7]), good.clone()),
        (json!(null), good.clone()),
        (json!([""]), good.clone()),
        (json!(["ada b"]), good.clone()),
        (json!(["ada", "encrypted-x"]), good.clone()),
        (json!(["x".repeat(121)]), good.clone()),
        (json!(["ada\u{0}"]), good.clone()),
        (json!(["ada"]), json!("hello")),
        (json!(["ada"]), json!(null)),
        (json!(["ada"]), json!({})),
        (json!(["ada"]), json!({"content": ""})),
        (json!(["ada"]), json!({"content": 7})),
        (json!(["ada"]), json!({"content": "c", "id": ""})),
        (json!(["ada"]), json!({"content": "c", "id": "a\u{0}b"})),
        (json!(["ada"]), json!({"content": "c", "id": "x".repeat(129)})),
        (json!(["ada"]), json!({"content": "c", "buttons": [{"id": "b"}]})),
        (json!(["ada"]), json!({"content": "c", "send_after": "tomorrow"})),
        (json!(["ada"]), json!({"content": "c", "opened": true})),
        (json!(["ada"]), json!({"content": "c", "heading": ["h"]})),
    ] {
        let body = json!({"user_ids": user_ids, "notification": notification}).to_string();
        assert_eq!(app.push_body(body.clone()).await.problem(), (422, "invalid"), "{body:.200}");
    }
    assert_eq!(app.push_body(nested(100)).await.status, 422, "nested too deep to be parsed again");
    let brackets = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(app.push_body(brackets).await.status, 422, "JSON, but no object");
    assert_eq!(app.push_body("[]").await.status, 422);
    assert_eq!(app.push_body("{}").await.status, 422);
    assert_eq!(app.get("ada", "/v1/inbox/head").await.body["seq"], 0, "nothing was stored");
}

#[tokio::test]
async fn fields_that_the_server_owns_are_rejected() {
    let app = TestApp::start().await;
    for key in
        ["inbox", "seq", "tag", "pending", "truncated", "gone", "added", "sender", "created_at", "opened_at"]
    {
        let mut notification = json!({"content": "forged"});
        notification[key] = json!({"seq": 9});
        let answer = app.push(&["ada"], notification).await;
        assert_eq!(answer.problem(), (422, "invalid"), "{key}");
        assert!(answer.body["detail"].as_str().unwrap().contains(key));
    }
}

#[tokio::test]
async fn nul_and_unusual_characters_are_returned_unchanged() {
    let app = TestApp::start().await;
    let content = "a\u{0}b\u{202e}\u{1f600}\u{7f}\u{2028}";
    assert_eq!(app.push(&["ada"], json!({"content": content, "x\u{0}y": "\u{0}"})).await.status, 201);
    let notification = &app.get("ada", "/v1/inbox").await.body["notifications"][0];
    assert_eq!((&notification["content"], &notification["x\u{0}y"]), (&json!(content), &json!("\u{0}")));
}

#[tokio::test]
async fn numbers_are_returned_as_they_were_written() {
    let app = TestApp::start().await;
    let numbers = "[98765432109876543210987,3.14159265358979323846264,-0.0,1.50,1e+16,1E400]";
    let body = |numbers: &str| {
        format!(
            r#"{{"user_ids":["ada"],"notification":{{"id":"n","content":"c","payload":{{"of":{numbers}}},"color":{numbers},"buttons":[{{"id":"b","text":"t","size":{numbers}}}]}}}}"#
        )
    };
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    assert_eq!(app.push_body(body(numbers)).await.status, 201);
    let live = socket.text().await;
    // The event is JSON in a text, whose numbers are written as they are outside of it.
    assert_eq!(live.matches(numbers).count(), 3, "{live}");
    for path in [
        "inbox",
        "inbox/notifications/n",
        "inbox/changes?after=0",
        "inbox/changes?after=9&tag=00000000000000ab",
    ] {
        let request = app.request(Method::GET, &format!("/v1/{path}")).bearer_auth(app.token("ada"));
        let answer = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(answer.matches(numbers).count(), 3, "{path}: {answer}");
    }
    assert_eq!(app.push_body(body(numbers)).await.status, 200, "the same body");
    for other in
        [numbers.replace("1.50", "1.5"), numbers.replace("-0.0", "0.0"), numbers.replace("987,", "988,")]
    {
        assert_eq!(app.push_body(body(&other)).await.problem(), (409, "id-taken"), "{other}");
    }
    let keyed = |number: &str| {
        let body = format!(r#"{{"user_ids":["ada"],"notification":{{"content":"c","payload":{number}}}}}"#);
        let request = app.request(Method::POST, "/v1/notifications").bearer_auth(API_KEY);
        send(request.header("idempotency-key", "k").body(body))
    };
    assert_eq!(keyed("1.0").await.status, 201);
    assert_eq!(keyed("1.00").await.problem(), (422, "key-reused"));
    assert_eq!(keyed("1.0").await.status, 201);
}

#[tokio::test]
async fn ten_thousand_recipients_are_accepted_and_one_more_is_rejected() {
    let app = TestApp::start().await;
    let users = |count: usize| (0..count).map(|index| json!(format!("user-{index}"))).collect::<Value>();
    let body = |count| json!({"user_ids": users(count), "notification": {"content": "all"}}).to_string();
    assert_eq!(app.push_body(body(10_001)).await.problem(), (422, "invalid"));
    let repeated: Value = (0..10_002).map(|index| json!(format!("user-{}", index % 10_000))).collect();
    let answer =
        app.push_body(json!({"user_ids": repeated, "notification": {"content": "all"}}).to_string()).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (201, &json!(10_000)));
}

#[tokio::test]
async fn notifications_have_a_maximum_size() {
    let app = TestApp::start().await;
    let sized = |bytes: usize| json!({"content": "x".repeat(bytes)});
    assert_eq!(app.push(&["ada"], sized(127 * 1024)).await.status, 201);
    assert_eq!(app.push(&["ada"], sized(128 * 1024)).await.problem(), (413, "too-large"));
    // Surrounding white space is ignored.
    let spaced =
        format!(r#"{{"user_ids":["ada"],{}"notification":{{"content":"c"}}}}"#, " ".repeat(1024 * 1024));
    assert_eq!(app.push_body(spaced).await.status, 201);
}
