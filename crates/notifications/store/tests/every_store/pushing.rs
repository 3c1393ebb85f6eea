use internal_notifications_models::{ChangeKind, InboxNotification, InternalNotification, Tag};
use internal_notifications_store::{InboxCommand, StoreErrorKind};
use serde_json::json;

use crate::backend::{Backend, Options};
use crate::fixture::{Fixture, at, id, push, user};

async fn a_push_adds_one_change_to_each_inbox(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("a", &["ada"]).await;
    let receipt = fixture.push("b", &["bob", "ada"]).await;
    assert_eq!((receipt.accepted, receipt.duplicates, receipt.scheduled), (2, 0, 0));
    assert_eq!(receipt.id, id("b"));
    let log = fixture.log("ada").await;
    assert_eq!(
        log.iter().map(|change| (change.stamp.seq, change.stamp.pending)).collect::<Vec<_>>(),
        [(1, 1), (2, 2)]
    );
    assert_eq!((log[0].stamp.prev, log[1].stamp.prev), (None, Some(log[0].stamp.tag)));
    assert_ne!(log[0].stamp.tag, log[1].stamp.tag);
    assert_eq!(fixture.log("bob").await[0].stamp.seq, 1);
}

async fn a_pushed_notification_is_read_back_in_full(on: Backend) {
    let fixture = Fixture::new(on).await;
    let notification: InternalNotification = serde_json::from_value(json!({
        "id": "ignored", "heading": "h\u{0}\u{202e}", "content": "ü \" \\ \u{1f600}", "payload": {"deep": [1, -2, 1.5, u64::MAX, null, "\u{0}"]},
        "image_url": "https://example.org/i.png", "send_after": "2020-01-01T00:00:00Z", "buttons": [{"id": "b", "text": "Go"}], "color": "red"
    }))
    .unwrap();
    let mut pushed = push("n é", &["ada"]);
    pushed.notification = notification;
    pushed.at = "2026-01-31T09:30:00.123456789Z".parse().unwrap();
    fixture.store.push(pushed).await.unwrap();
    let row = fixture.store.notification(&user("ada"), &id("n é")).await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(&row).unwrap(),
        json!({
            "id": "n é", "heading": "h\u{0}\u{202e}", "content": "ü \" \\ \u{1f600}", "payload": {"deep": [1, -2, 1.5, u64::MAX, null, "\u{0}"]},
            "image_url": "https://example.org/i.png", "send_after": "2020-01-01T00:00:00Z", "opened": false, "opened_at": null,
            "buttons": [{"id": "b", "text": "Go", "icon": null}], "color": "red",
            "created_at": "2026-01-31T09:30:00.123Z", "sender": "key:shop", "added": 1
        })
    );
    let ChangeKind::Added { notification } = &fixture.log("ada").await[0].kind else { panic!() };
    assert_eq!(**notification, row);
    assert_eq!(fixture.store.notification(&user("bob"), &id("n é")).await.unwrap(), None);
    assert_eq!(fixture.store.notification(&user("ada"), &id("other")).await.unwrap(), None);
}

async fn numbers_are_stored_as_they_are_written(on: Backend) {
    let fixture = Fixture::new(on).await;
    let with = |numbers: &str| {
        let text = format!(r#"{{"content":"c","payload":{numbers},"color":{numbers}}}"#);
        let mut pushed = push("n", &["ada"]);
        pushed.notification = serde_json::from_str(&text).unwrap();
        fixture.store.push(pushed)
    };
    let numbers = "[98765432109876543210987,3.14159265358979323846264,-0.0,1.50,1e+16,1E400]";
    with(numbers).await.unwrap();
    let row = fixture.store.notification(&user("ada"), &id("n")).await.unwrap().unwrap();
    let ChangeKind::Added { notification } = &fixture.log("ada").await[0].kind else { panic!() };
    let page = fixture.store.page(&user("ada"), 10, None).await.unwrap();
    for read in [&row, notification, &page.notifications[0]] {
        assert_eq!(read.payload.as_ref().unwrap().as_str(), numbers);
        assert_eq!(read.extra["color"].as_str(), numbers);
    }
    assert_eq!(with(numbers).await.unwrap().duplicates, 1);
    for (number, other) in [("1.50", "1.5"), ("-0.0", "-0"), ("3846264", "3846265"), ("1E400", "1E401")] {
        let error = with(&numbers.replace(number, other)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::IdTaken, "{other}");
    }
}

/// Servers refuse such a push since a URL cannot name it; older ones stored it.
async fn a_stored_id_that_no_push_may_have_is_still_read(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("..", &["ada"]).await;
    fixture.push("n", &["ada"]).await;
    assert_eq!(fixture.ids("ada").await, ["n", ".."]);
    assert_eq!(fixture.log("ada").await.len(), 2);
    let row = fixture.store.notification(&user("ada"), &id("..")).await.unwrap().unwrap();
    let text = serde_json::to_string(&row).unwrap();
    assert_eq!(serde_json::from_str::<InboxNotification>(&text).unwrap(), row, "a client reads it too");
    fixture.write("ada", InboxCommand::Opened(vec![id("..")])).await.unwrap();
    fixture.write("ada", InboxCommand::Remove(id(".."))).await.unwrap();
    assert_eq!(fixture.ids("ada").await, ["n"]);
}

async fn the_same_push_again_is_stored_once_and_reaches_new_recipients(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("n", &["ada"]).await;
    let mut again = push("n", &["ada", "bob"]);
    again.at = at(9);
    let receipt = fixture.store.push(again).await.unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates), (1, 1));
    assert_eq!(fixture.log("ada").await.len(), 1);
    let row = fixture.store.notification(&user("bob"), &id("n")).await.unwrap().unwrap();
    assert_eq!(row.created_at, at(9), "the time of its delivery to that inbox");
}

async fn an_id_belongs_to_one_notification_of_one_sender(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("n", &["ada"]).await;
    let mut other_body = push("n", &["ada", "bob"]);
    other_body.notification = other_body.notification.with_heading("other");
    let mut other_sender = push("n", &["ada", "bob"]);
    other_sender.sender = "user:ada".to_owned();
    for taken in [other_body, other_sender] {
        let error = fixture.store.push(taken).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::IdTaken);
    }
    assert_eq!(fixture.log("bob").await, []);
}

async fn defaults_written_out_are_the_same_body(on: Backend) {
    let fixture = Fixture::new(on).await;
    let with = |body: serde_json::Value| {
        let mut pushed = push("n", &["ada"]);
        pushed.notification = serde_json::from_value(body).unwrap();
        fixture.store.push(pushed)
    };
    with(json!({"content": "c", "payload": {"a": 1, "b": 2}})).await.unwrap();
    let spelt_out = json!({"payload": {"b": 2, "a": 1}, "heading": null, "buttons": [], "opened": false, "id": "n", "content": "c"});
    assert_eq!(with(spelt_out).await.unwrap().duplicates, 1);
    let error = with(json!({"content": "c", "payload": {"a": 1, "b": 2}, "more": null})).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::IdTaken);
}

async fn a_removed_notification_is_not_delivered_again(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("n", &["ada"]).await;
    fixture.write("ada", InboxCommand::Remove(id("n"))).await.unwrap();
    let receipt = fixture.push("n", &["ada", "bob"]).await;
    assert_eq!((receipt.accepted, receipt.duplicates), (1, 1));
    assert!(fixture.ids("ada").await.is_empty());
}

async fn a_push_can_have_ten_thousand_recipients(on: Backend) {
    let fixture = Fixture::new(on).await;
    let names: Vec<_> = (0..10_000).map(|n| format!("user-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let receipt = fixture.push("n", &names).await;
    assert_eq!((receipt.accepted, receipt.duplicates), (10_000, 0));
    assert_eq!(fixture.ids("user-9999").await, ["n"]);
    assert_eq!(fixture.push("n", &names).await.duplicates, 10_000);
}

async fn tags_are_stored_with_all_their_bits(on: Backend) {
    for bits in [0, 1, u64::MAX, 1 << 63] {
        let fixture = Fixture::with(on, Options::default().with_tags(move || Tag::from_bits(bits))).await;
        fixture.push("a", &["ada"]).await;
        fixture.push("b", &["ada"]).await;
        let log = fixture.log("ada").await;
        assert_eq!((log[0].stamp.tag, log[1].stamp.prev), (Tag::from_bits(bits), Some(Tag::from_bits(bits))));
        assert_eq!(fixture.store.head(&user("ada")).await.unwrap().position, log[1].stamp.position());
    }
}

on_every_store!(
    a_push_adds_one_change_to_each_inbox,
    a_pushed_notification_is_read_back_in_full,
    numbers_are_stored_as_they_are_written,
    a_stored_id_that_no_push_may_have_is_still_read,
    the_same_push_again_is_stored_once_and_reaches_new_recipients,
    an_id_belongs_to_one_notification_of_one_sender,
    defaults_written_out_are_the_same_body,
    a_removed_notification_is_not_delivered_again,
    a_push_can_have_ten_thousand_recipients,
    tags_are_stored_with_all_their_bits
);
