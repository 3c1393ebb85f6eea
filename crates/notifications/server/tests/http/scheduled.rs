use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, send};

fn from_now(seconds: i64) -> String {
    Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap().to_string()
}

#[tokio::test]
async fn a_push_for_later_is_scheduled_and_in_no_inbox_yet() {
    let app = TestApp::start().await;
    let later = json!({"id": "n", "content": "c", "send_after": "2099-01-01T00:00:00Z"});
    let pushed = app.push(&["ada", "bob"], later.clone()).await;
    let expected = json!({"id": "n", "accepted": 0, "duplicates": 0, "scheduled": 2});
    assert_eq!((pushed.status, &pushed.body), (201, &expected));
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), [""; 0]);
    assert_eq!(app.get("ada", "/v1/inbox/notifications/n").await.status, 404);
    let again = app.push(&["ada"], later).await;
    assert_eq!(
        (again.status, &again.body["duplicates"]),
        (200, &json!(1)),
        "the recipient is already scheduled"
    );
    let past = app.push(&["ada"], json!({"content": "c", "send_after": "2020-01-01T00:00:00"})).await;
    assert_eq!((past.status, &past.body["accepted"]), (201, &json!(1)));
}

#[tokio::test]
async fn expired_notifications_are_rejected_and_others_keep_their_expiry() {
    let app = TestApp::start().await;
    let until = |time: &str| json!({"content": "c", "expires_at": time});
    for time in ["2020-01-01T00:00:00Z", "1970-01-01T00:00:00", "-009999-01-02T01:59:59Z", &from_now(0)] {
        assert_eq!(app.push(&["ada"], until(time)).await.problem(), (422, "expired"), "{time}");
    }
    for wrong in [json!("tomorrow"), json!(7), json!(""), json!("+1000000-01-01T00:00:00Z"), json!([])] {
        let answer = app.push(&["ada"], json!({"content": "c", "expires_at": wrong})).await;
        assert_eq!(answer.problem(), (422, "invalid"), "{answer:?}");
    }
    let unsent =
        json!({"content": "c", "send_after": "2099-01-01T00:00:00Z", "expires_at": "2098-01-01T00:00:00Z"});
    assert_eq!(app.push(&["ada"], unsent).await.problem(), (422, "invalid"));
    assert_eq!(app.push(&["ada"], until("2099-01-01T00:00:00")).await.status, 201);
    let inbox = app.get("ada", "/v1/inbox").await;
    assert_eq!(inbox.body["notifications"][0]["expires_at"], "2099-01-01T00:00:00Z");
    assert_eq!(inbox.ids().len(), 1);
}

#[tokio::test]
async fn only_backends_may_retract() {
    let app = TestApp::start().await;
    assert_eq!(app.push(&["ada"], json!({"id": "n", "content": "c"})).await.status, 201);
    for token in [app.token("ada"), app.push_token("ada")] {
        let request = app.request(Method::DELETE, "/v1/notifications/n").bearer_auth(token);
        assert_eq!(send(request).await.problem(), (403, "forbidden"));
    }
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), ["n"]);
}
