use serde_json::json;

use crate::app::TestApp;
use crate::websocket::Socket;

#[tokio::test]
async fn a_stock_client_receives_pushes_and_changes() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    app.push(&["bob"], json!({"content": "not for ada"})).await;
    app.push(&["ada", "bob"], json!({"id": "n1", "content": "hello", "extra": 1})).await;
    let (event, data) = socket.next().await;
    assert_eq!(event, "internal-notification");
    let expected = (&json!("n1"), &json!("hello"), &json!(1), &json!("key:shop"));
    assert_eq!((&data["id"], &data["content"], &data["extra"], &data["sender"]), expected);
    assert_eq!((&data["inbox"]["seq"], &data["inbox"]["pending"]), (&json!(1), &json!(1)));
    let head = app.get("ada", "/v1/inbox/head").await.body;
    assert_eq!(data["inbox"]["tag"], head["tag"]);

    app.post("ada", "/v1/inbox/opened", json!({"ids": ["n1"]})).await;
    let (event, opened) = socket.next().await;
    assert_eq!(event, "internal-notifications-changed");
    assert_eq!((&opened["kind"], &opened["ids"]), (&json!("opened"), &json!(["n1"])));
    assert_eq!((&opened["inbox"]["seq"], &opened["inbox"]["prev"]), (&json!(2), &head["tag"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pushes_arrive_in_order() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    // Smaller bursts than those that become one thin event.
    for burst in 0..10 {
        let pushes = (0..40).map(|_| app.push(&["ada"], json!({"content": "x"})));
        futures_util::future::join_all(pushes).await;
        for seq in 1..=40 {
            let (_, data) = socket.next().await;
            assert_eq!(data["inbox"]["seq"], burst * 40 + seq);
        }
    }
}

#[tokio::test]
async fn a_large_notification_is_published_as_a_thin_event() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    app.push(&["ada"], json!({"content": "x".repeat(20_000)})).await;
    let (event, data) = socket.next().await;
    assert_eq!((event.as_str(), &data["truncated"]), ("internal-notification", &json!(true)));
    assert_eq!((&data["inbox"]["seq"], data.get("content")), (&json!(1), None));
}

#[tokio::test]
async fn a_signature_for_another_socket_or_channel_is_rejected() {
    let app = TestApp::start().await;
    let mut socket = Socket::connect(&app).await;
    let signed =
        app.post("ada", "/pusher/auth", json!({"socket_id": "1.2", "channel_name": "private-ada"})).await;
    let own =
        app.post("ada", "/pusher/auth", json!({"socket_id": socket.id, "channel_name": "private-ada"})).await;
    for (channel, auth) in [
        ("private-ada", &signed.body["auth"]),
        ("private-bob", &own.body["auth"]),
        ("private-bob", &json!(null)),
    ] {
        socket.send(json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}})).await;
        let (event, _) = socket.next().await;
        assert_ne!(event, "pusher_internal:subscription_succeeded", "{channel}");
    }
}
