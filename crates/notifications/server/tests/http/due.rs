use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{API_KEY, TestApp, send};

async fn retract(app: &TestApp, id: &str) -> crate::app::Answer {
    send(app.request(Method::DELETE, &format!("/v1/notifications/{id}")).bearer_auth(API_KEY)).await
}

#[tokio::test]
async fn a_retraction_removes_delivered_notifications_and_cancels_scheduled_ones() {
    let app = TestApp::start().await;
    let mut socket = crate::websocket::Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    let now = json!({"id": "order/7", "content": "c"});
    assert_eq!(app.push(&["ada", "bob"], now.clone()).await.status, 201);
    let retracted = retract(&app, "order%2F7").await;
    let expected = json!({"id": "order/7", "cancelled": 0, "removed": 2});
    assert_eq!((retracted.status, &retracted.body), (200, &expected));
    let (_, added) = socket.next().await;
    assert_eq!(added["inbox"]["seq"], 1);
    let (event, data) = socket.next().await;
    assert_eq!(event, "internal-notifications-changed");
    assert_eq!(
        (&data["kind"], &data["ids"], &data["reason"]),
        (&json!("removed"), &json!(["order/7"]), &json!("retracted"))
    );
    assert_eq!((&data["inbox"]["seq"], &data["inbox"]["pending"]), (&json!(2), &json!(0)));
    let again = app.push(&["ada", "eve"], now).await;
    assert_eq!((again.status, &again.body["duplicates"]), (200, &json!(2)));
    let repeat = retract(&app, "order%2F7").await;
    assert_eq!(repeat.body, json!({"id": "order/7", "cancelled": 0, "removed": 0}));

    let later = json!({"id": "later", "content": "c", "send_after": "2099-01-01T00:00:00Z"});
    assert_eq!(app.push(&["ada", "bob"], later).await.status, 201);
    assert_eq!(retract(&app, "later").await.body, json!({"id": "later", "cancelled": 2, "removed": 0}));
}

#[tokio::test]
async fn an_unknown_notification_cannot_be_retracted() {
    let app = TestApp::start().await;
    for id in ["n", "%00", "..%2F..", "%F0%9F%98%80x"] {
        let answer = retract(&app, id).await;
        assert!(
            matches!(answer.problem(), (404, "unknown-notification") | (422, "invalid")),
            "{id}: {answer:?}"
        );
    }
    assert_eq!(retract(&app, "n").await.problem(), (404, "unknown-notification"));
    assert_eq!(retract(&app, "%FF").await.problem(), (400, "malformed"));
    assert_eq!(retract(&app, &"x".repeat(129)).await.problem(), (422, "invalid"));
}

#[tokio::test]
async fn due_notifications_arrive_live_within_a_second_and_expired_ones_leave() {
    let app = TestApp::start().await;
    let mut socket = crate::websocket::Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    let due = Timestamp::now().checked_add(SignedDuration::from_millis(700)).unwrap();
    let expires = due.checked_add(SignedDuration::from_millis(700)).unwrap();
    let notification =
        json!({"id": "n", "content": "c", "send_after": due.to_string(), "expires_at": expires.to_string()});
    assert_eq!(app.push(&["ada"], notification).await.body["scheduled"], 1);
    let (_, data) = socket.next().await;
    let late = Timestamp::now().duration_since(due);
    assert!(!late.is_negative() && late < SignedDuration::from_secs(1), "{late}");
    assert_eq!(data["id"], "n");
    let added: Value = app.get("ada", "/v1/inbox/notifications/n").await.body;
    let created: Timestamp = added["created_at"].as_str().unwrap().parse().unwrap();
    assert!(created >= due, "created_at is the time of delivery: {created}");
    let (_, data) = socket.next().await;
    let late = Timestamp::now().duration_since(expires);
    assert!(!late.is_negative() && late < SignedDuration::from_secs(1), "{late}");
    assert_eq!((&data["kind"], &data["reason"]), (&json!("removed"), &json!("expired")));
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), [""; 0]);
}
