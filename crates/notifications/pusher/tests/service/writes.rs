use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications_pusher::HttpResponse;
use internal_notifications_pusher::contract::{
    Announcement, InboxCommand, InternalNotificationsService, ServiceErrorKind, Status, Written,
};
use internal_notifications_pusher::models::{InternalNotification, NotificationId, Tag, UserId};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Device, Fault, Server, soon};

fn id(id: &str) -> NotificationId {
    NotificationId::new(id).unwrap()
}

async fn with_notifications(ids: &[&str]) -> (Server, Device) {
    let server = Server::new();
    ids.iter().for_each(|id| drop(server.add("ada", id)));
    let device = Device::live(&server).await;
    (server, device)
}

#[tokio::test(start_paused = true)]
async fn a_write_shows_when_it_returns() {
    let (server, device) = with_notifications(&["a", "b", "c"]).await;
    for mute in [false, true] {
        server.world().mute = mute;
        let written = device.service.mark_opened(&[id("a"), id("c")]).await;
        assert_eq!((written, device.service.snapshot().pending), (Ok(Written::Stored), 1));
        assert_eq!(device.ids(), ["c", "b*", "a"]);
        device.service.mark_unopened(&[id("c")]).await.unwrap();
        assert_eq!(device.ids(), ["c*", "b*", "a"]);
        device.service.mark_all_opened().await.unwrap();
        assert_eq!(
            (device.ids(), device.service.snapshot().pending),
            (vec!["c".into(), "b".into(), "a".into()], 0)
        );
        device.service.mark_unopened(&[id("a"), id("b"), id("c"), id("zzz")]).await.unwrap();
        assert_eq!(device.service.snapshot().pending, 3);
    }
    device.service.remove(&id("b")).await.unwrap();
    assert_eq!(device.ids(), ["c*", "a*"]);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_response_is_lost_is_repeated_with_the_same_op() {
    let (server, device) = with_notifications(&["a/b c", "b"]).await;
    server.fail("/notifications/", Fault::ResponseLost);
    server.fail("/notifications/", Fault::foreign(502));
    assert_eq!(device.service.remove(&id("b")).await, Ok(Written::Queued));
    device.until_stored().await;
    let ops: Vec<_> = server.seen("/notifications/").iter().map(|seen| seen.query["op"].clone()).collect();
    assert_eq!(ops.len(), 3);
    assert!(ops.iter().all(|op| *op == ops[0] && !op.is_empty()));
    assert_eq!(device.until_seq(3).await.pending, 1);

    server.fail("/opened", Fault::ResponseLost);
    assert_eq!(device.service.mark_opened(&[id("a/b c")]).await, Ok(Written::Queued));
    device.until_stored().await;
    let seen = server.seen("/opened");
    assert_eq!(seen[0].body["op"], seen[1].body["op"]);
    assert_ne!(seen[0].body["op"], json!(ops[0]), "each write has its own op");
    assert_eq!(server.world().logs["ada"].head().position.seq, 4);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_queued_in_time_if_the_server_does_not_answer() {
    let (server, device) = with_notifications(&["a"]).await;
    server.fail("/opened", Fault::Unreachable);
    let before = Instant::now();
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    assert!(before.elapsed() < Duration::from_millis(100), "{:?}", before.elapsed());
    device.until_stored().await;

    server.fail("/unopened", Fault::Silence);
    let before = Instant::now();
    assert_eq!(device.service.mark_unopened(&[id("a")]).await, Ok(Written::Queued));
    assert!(before.elapsed() <= Duration::from_secs(31), "{:?}", before.elapsed());
    device.until_stored().await;

    server.fail("/unopened", Fault::Silence);
    server.world().is_down = true;
    device.network.cut(true);
    device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    let before = Instant::now();
    assert_eq!(device.service.mark_unopened(&[id("a")]).await, Ok(Written::Queued));
    assert!(before.elapsed() <= Duration::from_secs(2), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_write_is_not_repeated() {
    let (server, device) = with_notifications(&["a"]).await;
    for (status, kind) in [
        (403, ServiceErrorKind::Forbidden),
        (404, ServiceErrorKind::Unknown),
        (413, ServiceErrorKind::Invalid),
        (422, ServiceErrorKind::Invalid),
    ] {
        server.fail("/opened", Fault::refusal(status));
        let before = server.seen("/opened").len();
        assert_eq!(device.service.mark_opened(&[id("a")]).await.unwrap_err().kind(), kind);
        assert_eq!((device.ids(), device.service.snapshot().unconfirmed), (vec!["a*".to_owned()], 0));
        assert_eq!(server.seen("/opened").len(), before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_something_else_answers_is_repeated_with_the_same_op() {
    let (server, device) = with_notifications(&["a"]).await;
    let unreadable = HttpResponse::new(200, r#"{"seq":"x"}"#);
    for (n, fault) in [200, 204, 301, 302, 400, 403, 404, 405, 409, 413, 422, 502]
        .map(Fault::foreign)
        .into_iter()
        .chain([Fault::refusal(401), Fault::refusal(405), Fault::Response(unreadable)])
        .enumerate()
    {
        let before = server.seen("opened").len();
        server.fail("opened", fault);
        let written = match n % 2 {
            0 => device.service.mark_opened(&[id("a")]).await,
            _ => device.service.mark_unopened(&[id("a")]).await,
        };
        assert_eq!(written, Ok(Written::Queued), "{n}");
        device.until_stored().await;
        let seen = server.seen("opened").split_off(before);
        assert!(seen.len() == 2 && seen[0].body["op"] == seen[1].body["op"], "{n}: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn mark_all_opened_opens_only_notifications_that_were_seen() {
    let (server, device) = with_notifications(&["a", "b"]).await;
    server.world().mute = true;
    server.add("ada", "unseen");
    device.service.mark_all_opened().await.unwrap();
    let sent = &server.seen("/opened")[0].body;
    assert_eq!((&sent["all"], &sent["through"]), (&json!(true), &json!(2)));
    assert_eq!(sent["tag"], json!(Tag::from_bits(2).to_string()));
    assert_eq!(device.ids(), ["unseen*", "b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn mark_all_opened_of_another_history_is_a_conflict_and_starts_a_catch_up() {
    let (server, device) = with_notifications(&["a"]).await;
    server.world().logs.clear();
    server.add_silently("ada", "other");
    let error = device.service.mark_all_opened().await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Conflict);
    device.until(|snapshot| snapshot.notifications[0].id == id("other")).await;
    assert_eq!(device.ids(), ["other*"]);

    server.add_silently("ada", "more");
    server.fail("/opened", Fault::refusal(409));
    assert_eq!(device.service.mark_all_opened().await.unwrap_err().kind(), ServiceErrorKind::Conflict);
    device.until_seq(2).await;
}

#[tokio::test(start_paused = true)]
async fn removing_an_unknown_notification_fails_and_its_head_is_used() {
    let (server, device) = with_notifications(&["a"]).await;
    server.world().mute = true;
    server.write("ada", InboxCommand::Remove(id("a"))).unwrap();
    assert_eq!(device.service.remove(&id("a")).await.unwrap_err().kind(), ServiceErrorKind::Unknown);
    device.until_seq(2).await;
    assert_eq!(device.service.remove(&id("..")).await.unwrap_err().kind(), ServiceErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn many_ids_are_sent_in_several_requests() {
    let (server, device) = with_notifications(&["a"]).await;
    let mut ids: Vec<_> = (0..1_100).map(|n| id(&format!("n{n}"))).collect();
    ids.push(id("a"));
    device.service.mark_opened(&ids).await.unwrap();
    let sizes: Vec<_> =
        server.seen("/opened").iter().map(|seen| seen.body["ids"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [500, 500, 101]);
    assert_eq!(device.ids(), ["a"]);
    device.service.mark_opened(&[]).await.unwrap();
    assert_eq!(server.seen("/opened").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_push_is_stored_once_even_if_its_response_is_lost() {
    let (server, device) = with_notifications(&[]).await;
    server.fail("/v1/notifications", Fault::ResponseLost);
    let users: Vec<UserId> = ["ada", "bob"].map(|user| user.parse().unwrap()).into();
    let receipt = device.service.push(&users, InternalNotification::new("hello")).await.unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates), (0, 2));
    assert_eq!(server.world().logs["bob"].head().pending, 1);
    assert_eq!(device.until_seq(1).await.notifications[0].id, receipt.id);

    let error = device.service.push(&users, InternalNotification::new("")).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_was_refused_for_longer_than_its_call_may_take_is_reported_as_refused() {
    let (server, device) = with_notifications(&[]).await;
    let busy = HttpResponse::new(503, "").with_retry_after(Duration::from_secs(29));
    server.fail("/v1/notifications", Fault::Response(busy));
    let to = ["bob".parse().unwrap()];
    let before = Instant::now();
    let error = device.service.push(&to, InternalNotification::new("hello")).await.unwrap_err();
    assert!(error.to_string().contains("503") && error.is_retryable(), "{error}");
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_write_while_paused_returns_when_the_server_has_it() {
    let (server, device) = with_notifications(&["a"]).await;
    device.service.unsubscribe().await.unwrap();
    let before = Instant::now();
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Stored));
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!(server.world().logs["ada"].head().pending, 0);
    let now = device.service.snapshot();
    assert_eq!((device.ids(), now.unconfirmed, now.status), (vec!["a".to_owned()], 1, Status::Paused));
    assert_eq!((now.pending, now.position.seq), (1, 1), "no changes are applied while paused");
    device.service.subscribe().await.unwrap();
    device.until_seq(2).await;
    assert_eq!(device.ids(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn answered_writes_leave_room_in_the_queue() {
    let (server, device) = with_notifications(&["a"]).await;
    device.service.unsubscribe().await.unwrap();
    for _ in 0..300 {
        assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Stored));
        assert_eq!(device.service.mark_unopened(&[id("a")]).await, Ok(Written::Stored));
    }
    assert_eq!((device.ids(), device.service.snapshot().unconfirmed), (vec!["a*".to_owned()], 600));
    assert_eq!(server.world().logs["ada"].head().position.seq, 601);
    device.service.subscribe().await.unwrap();
    device.until_stored().await;
}

#[tokio::test(start_paused = true)]
async fn an_answered_write_ends_the_backoff_of_failed_requests() {
    let (server, device) = with_notifications(&["a"]).await;
    let requests = server.seen("/changes").len();
    (0..8).for_each(|_| server.fail("/changes", Fault::foreign(503)));
    server.add_silently("ada", "b");
    server.add("ada", "c");
    soon(async {
        while server.seen("/changes").len() < requests + 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let before = Instant::now();
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Stored));
    assert!(before.elapsed() < Duration::from_millis(50), "{:?}", before.elapsed());
    assert_eq!(device.ids(), ["c*", "b*", "a"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_rejected_request_the_later_ones_of_the_call_are_not_sent() {
    let (server, device) = with_notifications(&["a"]).await;
    let mut ids: Vec<_> = (0..1_100).map(|n| id(&format!("n{n}"))).collect();
    ids.push(id("a"));
    let mut announcements = device.service.announcements();
    server.fail("/opened", Fault::refusal(422));
    let error = device.service.mark_opened(&ids).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Invalid);
    assert_eq!((device.ids(), device.service.snapshot().unconfirmed), (vec!["a*".to_owned()], 0));
    server.add("ada", "b");
    device.until_seq(2).await;
    assert_eq!(server.seen("/opened").len(), 1);
    match soon(announcements.next()).await {
        Some(Announcement::Notification(row)) => assert_eq!(row.id, id("b")),
        other => panic!("the rejection was reported to the caller: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn writes_stored_before_a_rejection_are_kept() {
    let (server, device) = with_notifications(&["a", "b"]).await;
    server.world().mute = true;
    let before = server.world().logs["ada"].clone();
    server.world().stale = Some(before);
    let mut ids = vec![id("a")];
    ids.extend((0..499).map(|n| id(&format!("n{n}"))));
    ids.push(id("b"));
    let (outcome, ()) = tokio::join!(device.service.mark_opened(&ids), async {
        while server.seen("/opened").is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.fail("/opened", Fault::refusal(422));
    });
    assert_eq!(outcome.unwrap_err().kind(), ServiceErrorKind::Invalid);
    assert_eq!((device.ids(), device.service.snapshot().unconfirmed), (vec!["b*".into(), "a".into()], 1));
    server.world().stale = None;
    device.until_stored().await;
    assert_eq!(device.ids(), ["b*", "a"]);
}
