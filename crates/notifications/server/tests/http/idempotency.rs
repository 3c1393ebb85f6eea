use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::app::{API_KEY, Answer, TestApp, send};

const KEY: &str = "idempotency-key";

fn body(content: &str) -> Value {
    json!({"user_ids": ["ada", "bob"], "notification": {"content": content}})
}

async fn push(app: &TestApp, key: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, "/v1/notifications").bearer_auth(API_KEY);
    send(request.header(KEY, key).json(body)).await
}

#[tokio::test]
async fn a_repeat_with_its_key_gets_the_first_answer_also_after_a_restart() {
    let app = TestApp::start().await;
    let first = push(&app, "order-7", &body("c")).await;
    assert_eq!((first.status, &first.body["accepted"]), (201, &json!(2)));
    for app in [app.restart().await] {
        let again = push(&app, "order-7", &body("c")).await;
        assert_eq!((again.status, &again.body), (201, &first.body), "even the generated id is the same");
        assert_eq!(app.get("ada", "/v1/inbox").await.ids().len(), 1);
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let app = TestApp::start().await;
    let first = push(&app, "k", &body("c")).await;
    assert_eq!(push(&app, "k", &body("d")).await.problem(), (422, "key-reused"));
    let others = app.request(Method::POST, "/v1/notifications").bearer_auth(app.push_token("eve"));
    let others = send(others.header(KEY, "k").json(&body("c"))).await;
    assert_eq!((others.status, &others.body["accepted"]), (201, &json!(2)), "each caller has its own keys");
    assert_ne!(others.body["id"], first.body["id"]);
    assert_eq!(app.get("ada", "/v1/inbox").await.ids().len(), 2);
}

#[tokio::test]
async fn concurrent_repeats_are_stored_once() {
    let app = TestApp::start().await;
    let request = body("c");
    let answers = futures_util::future::join_all((0..20).map(|_| push(&app, "k", &request))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    assert_eq!(app.get("ada", "/v1/inbox").await.ids().len(), 1);
}

#[tokio::test]
async fn a_rejected_push_leaves_its_key_free() {
    let app = TestApp::start().await;
    assert_eq!(app.push(&["ada"], json!({"id": "n", "content": "taken"})).await.status, 201);
    let with = |id: &str| json!({"user_ids": ["ada"], "notification": {"id": id, "content": "other"}});
    assert_eq!(push(&app, "k", &with("n")).await.problem(), (409, "id-taken"));
    assert_eq!(push(&app, "k", &with("")).await.problem(), (422, "invalid"));
    assert_eq!(push(&app, "k", &with("m")).await.status, 201);
}

#[tokio::test]
async fn an_invalid_key_is_rejected_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let longest = "k".repeat(255);
    let longer = "k".repeat(256);
    for wrong in ["", " ", "a b", "a\tb", "é", "clé-é", "\u{7f}", "\"a key\"", &longer] {
        // A header of arbitrary bytes, as a hostile client may send it.
        let Ok(value) = HeaderValue::from_bytes(wrong.as_bytes()) else { continue };
        let request = app.request(Method::POST, "/v1/notifications").bearer_auth(API_KEY);
        let answer = send(request.header(KEY, value).json(&body("c"))).await;
        assert_eq!(answer.problem(), (422, "invalid"), "{wrong:?}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains("Idempotency-Key must have 1 to 255 visible ASCII characters"), "{detail}");
    }
    let twice = app.request(Method::POST, "/v1/notifications").bearer_auth(API_KEY);
    let answer = send(twice.header(KEY, "k").header(KEY, "k").json(&body("c"))).await;
    assert_eq!(answer.problem(), (422, "invalid"));
    assert!(answer.body["detail"].as_str().unwrap().contains("may appear only once"), "{answer:?}");
    assert_eq!(app.get("ada", "/v1/inbox/head").await.body["seq"], 0, "nothing was stored");

    assert_eq!(push(&app, &longest, &body("c")).await.status, 201);
    // SQL, a path or a format string: keys are only compared.
    for odd in ["';DROP/**/TABLE/**/idempotency;--", "../../etc/passwd", "%00%s{}", "\"quoted\""] {
        assert_eq!(push(&app, odd, &body("c")).await.status, 201, "{odd}");
        assert_eq!(push(&app, odd, &body("d")).await.problem(), (422, "key-reused"), "{odd}");
    }
}

#[tokio::test]
async fn control_characters_in_the_header_are_not_http() {
    let app = TestApp::start().await;
    for control in ["\u{0}", "\u{1}", "\u{1b}[2J"] {
        let head = format!(
            "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nidempotency-key: a{control}b\r\ncontent-length: 0\r\n\r\n"
        );
        assert_eq!(crate::raw::status(&crate::raw::ask(&app, &head).await), 400, "{control:?}");
    }
}
