use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use internal_notifications_pusher::HttpResponse;
use internal_notifications_pusher::contract::{
    Announcement, InboxCommand, InternalNotificationsService, OfflinePush, ServiceErrorKind, Status, Written,
};
use internal_notifications_pusher::models::{InternalNotification, NotificationId, UserId};
use tokio::time::Instant;

use crate::support::{Device, Fault, Seen, Server, soon};

fn id(id: &str) -> NotificationId {
    NotificationId::new(id).unwrap()
}

async fn offline(ids: &[&str]) -> (Server, Device) {
    let server = Server::new();
    ids.iter().for_each(|id| drop(server.add("ada", id)));
    let device = Device::live(&server).await;
    device.cut(&server).await;
    (server, device)
}

#[tokio::test(start_paused = true)]
async fn queued_writes_show_at_once_and_are_stored_in_order_after_reconnecting() {
    let (server, device) = offline(&["a", "b", "c"]).await;
    let service = &device.service;
    let written = [
        service.mark_opened(&[id("a")]).await,
        service.mark_all_opened().await,
        service.mark_unopened(&[id("c")]).await,
        service.remove(&id("b")).await,
    ];
    assert_eq!(written, [Ok(Written::Queued), Ok(Written::Queued), Ok(Written::Queued), Ok(Written::Queued)]);
    let now = service.snapshot();
    assert_eq!((device.ids(), now.pending, now.unconfirmed), (vec!["c*".into(), "a".into()], 3, 4));
    server.add("ada", "d");

    // By now the backoff is up to 10 s.
    tokio::time::sleep(Duration::from_secs(600)).await;
    device.mend(&server);
    device.until_live().await;
    let back = Instant::now();
    let now = device.until_stored().await;
    assert!(back.elapsed() < Duration::from_millis(200), "{:?}", back.elapsed());
    assert_eq!((device.ids(), now.pending), (vec!["d*".into(), "c*".into(), "a".into()], 2));
    assert_eq!(now.position.seq, 8, "each happened once");
    let paths: Vec<_> = server.world().writes.clone();
    assert_eq!(
        paths,
        ["/v1/inbox/opened", "/v1/inbox/opened", "/v1/inbox/unopened", "/v1/inbox/notifications/b"]
    );
}

#[tokio::test(start_paused = true)]
async fn one_write_is_in_progress_at_a_time() {
    let server = Server::new();
    ["a", "b"].iter().for_each(|id| drop(server.add("ada", id)));
    let device = Device::live(&server).await;
    let (a, b) = ([id("a")], [id("b")]);
    let (one, two) = tokio::join!(device.service.mark_opened(&a), async {
        let two = device.service.mark_opened(&b);
        tokio::pin!(two);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!((&mut two).now_or_never().is_none());
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(server.seen("/opened").len(), 1);
        two.await
    });
    assert_eq!((one, two), (Ok(Written::Stored), Ok(Written::Stored)));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_queued_write_is_rolled_back_and_announced() {
    let (server, device) = offline(&["a", "b"]).await;
    let mut announcements = device.service.announcements();
    assert_eq!(device.service.remove(&id("a")).await, Ok(Written::Queued));
    assert_eq!(device.service.mark_opened(&[id("b")]).await, Ok(Written::Queued));
    assert_eq!(device.ids(), ["b"]);
    server.fail("/opened", Fault::refusal(403));
    server.write("ada", InboxCommand::Remove(id("a"))).unwrap();
    device.mend(&server);
    for (command, kind) in [
        (InboxCommand::Remove(id("a")), ServiceErrorKind::Unknown),
        (InboxCommand::Opened(vec![id("b")]), ServiceErrorKind::Forbidden),
    ] {
        match soon(announcements.next()).await {
            Some(Announcement::WriteRefused(refused)) => {
                assert_eq!((&refused.command, refused.error.kind()), (&command, kind));
            }
            other => panic!("{other:?}"),
        }
    }
    device.until_stored().await;
    assert_eq!(device.ids(), ["b*"]);
}

/// Adds 300 notifications, and marks each opened while nothing but a login page answers.
async fn marked_behind_a_portal() -> (Server, Device) {
    let server = Server::new();
    let ids: Vec<_> = (0..300).map(|n| format!("n{n}")).collect();
    ids.iter().for_each(|id| drop(server.add_silently("ada", id)));
    let device = Device::with(&server, |builder| builder.window(300));
    device.go_live().await;
    device.until(|snapshot| snapshot.notifications.len() == 300).await;
    server.world().portal = Some(0);
    device.network.cut(true);
    for id in &ids {
        assert_eq!(device.service.mark_opened(&[self::id(id)]).await, Ok(Written::Queued));
    }
    (server, device)
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_behind_a_portal_is_stored_once_when_it_is_gone() {
    let (server, device) = marked_behind_a_portal().await;
    let mut announcements = device.service.announcements();
    let before = server.seen("/opened").len();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let tries = server.seen("/opened").len() - before;
    assert!((5..40).contains(&tries), "{tries} tries in a minute");
    assert_eq!(device.service.snapshot().unconfirmed, 300);
    assert!(device.ids().iter().all(|id| !id.ends_with('*')));
    assert!(matches!(device.service.snapshot().status, Status::Offline(_)));

    server.world().portal = None;
    device.network.cut(false);
    let now = device.until_stored().await;
    assert_eq!((now.pending, now.position.seq), (0, 302), "each mark changed the inbox once");
    assert_eq!(server.world().logs["ada"].head().pending, 0);
    assert!(announcements.next().now_or_never().is_none(), "nothing was refused");
    // One mark was sent before the others waited.
    let ids = |seen: &Seen| seen.body["ids"].as_array().unwrap().len();
    let mut requests: Vec<_> = server.seen("/opened").iter().map(ids).collect();
    requests.dedup();
    assert_eq!(requests, [1, 299]);
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_is_kept_while_the_token_is_refused() {
    let (server, device) = offline(&["a"]).await;
    let tokens = std::mem::take(&mut server.world().tokens);
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    device.mend(&server);
    device.until(|snapshot| matches!(snapshot.status, Status::Failed(_))).await;
    let before = server.seen("").len();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let requests = server.seen("").len() - before;
    assert!(requests < 80, "{requests} requests in an hour with a token that stays refused");
    assert_eq!((device.ids(), device.service.snapshot().unconfirmed), (vec!["a".to_owned()], 1));
    server.world().tokens = tokens;
    assert_eq!(device.until_stored().await.pending, 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_wait_is_left_alone_for_so_long() {
    let (server, device) = offline(&["a"]).await;
    let busy = |seconds| HttpResponse::new(503, "").with_retry_after(Duration::from_secs(seconds));
    for path in ["/opened", "/changes"] {
        server.fail(path, Fault::Response(busy(120)));
    }
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    device.mend(&server);
    soon(async {
        while server.world().has_faults() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let is_asked = |path: &str| ["/opened", "/changes", "/head"].iter().any(|asked| path.contains(asked));
    let asked = || server.seen("").iter().filter(|seen| is_asked(&seen.path)).count();
    let (before, since) = (asked(), Instant::now());
    tokio::time::sleep(Duration::from_secs(110)).await;
    assert_eq!(asked(), before, "it is asked too early");
    device.until_stored().await;
    let waited = since.elapsed().as_secs();
    assert!((119..145).contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_and_a_write_beyond_it_does_not_show() {
    let (server, device) = offline(&["a"]).await;
    let before = Instant::now();
    for n in 0..499 {
        let written = match n % 2 {
            0 => device.service.mark_opened(&[id("a")]).await,
            _ => device.service.mark_unopened(&[id("a")]).await,
        };
        assert_eq!(written, Ok(Written::Queued));
    }
    // Two writes, with room for one.
    assert!(before.elapsed() < Duration::from_secs(5), "no call waits: {:?}", before.elapsed());
    let ids: Vec<_> = [id("a")].into_iter().chain((0..500).map(|n| id(&format!("n{n}")))).collect();
    let error = device.service.mark_unopened(&ids).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::QueueFull);
    let now = device.service.snapshot();
    assert_eq!((device.ids(), now.unconfirmed), (vec!["a".to_owned()], 499));
    device.mend(&server);
    device.until_stored().await;
    assert_eq!((device.ids(), device.service.snapshot().pending), (vec!["a".to_owned()], 0));
    assert_eq!(device.service.mark_unopened(&ids).await, Ok(Written::Stored));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_caller_is_gone_happens_once() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    let ids = [id("a")];
    let write = device.service.mark_opened(&ids);
    assert!(tokio::time::timeout(Duration::from_millis(1), write).await.is_err());
    device.until_seq(2).await;
    device.until_stored().await;
    assert_eq!((device.ids(), server.seen("/opened").len()), (vec!["a".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn losing_the_connection_ends_the_wait_of_a_write() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    server.fail("/opened", Fault::Silence);
    let before = Instant::now();
    let ids = [id("a")];
    let (written, ()) = tokio::join!(device.service.mark_opened(&ids), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        device.network.cut(true);
    });
    assert_eq!(written, Ok(Written::Queued));
    assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn dispose_drops_queued_writes() {
    let (server, device) = offline(&["a"]).await;
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    device.service.dispose().await;
    device.mend(&server);
    device.go_live().await;
    assert_eq!((device.ids(), device.service.snapshot().unconfirmed), (vec!["a*".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_stored_while_only_the_websocket_is_down() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    device.network.cut(true);
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Stored));
    assert_eq!((device.ids(), device.service.snapshot().pending), (vec!["a".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn an_answered_write_is_repeated_after_a_restored_backup() {
    let (server, device) = offline(&["a"]).await;
    let backup = server.world().logs["ada"].clone();
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    server.world().mute = true;
    // It is stored, and its history is lost before the replica has the change.
    (0..1_000).for_each(|_| server.fail("/changes", Fault::foreign(503)));
    device.mend(&server);
    soon(async {
        while server.world().writes.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    server.world().logs.insert("ada".into(), backup);
    server.add_silently("ada", "b");
    server.world().heal();
    device.until_stored().await;
    assert_eq!(device.ids(), ["b*", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_publishes_a_write_is_not_flooded() {
    let server = Server::new();
    ["a", "b"].iter().for_each(|id| drop(server.add("ada", id)));
    let device = Device::live(&server).await;
    {
        let mut world = server.world();
        world.mute = true;
        world.stale = world.logs.get("ada").cloned();
    }
    let before = server.seen("").len();
    let (a, b) = ([id("a")], [id("b")]);
    let written = tokio::join!(device.service.mark_opened(&a), device.service.mark_opened(&b));
    assert_eq!(written, (Ok(Written::Queued), Ok(Written::Queued)));
    tokio::time::sleep(Duration::from_secs(600)).await;
    let requests = server.seen("").len() - before;
    assert!(requests < 600, "{requests} requests in ten minutes");
    server.world().stale = None;
    device.until_stored().await;
    assert_eq!((device.ids(), device.service.snapshot().pending), (vec!["b".to_owned(), "a".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn an_offline_push_fails_or_waits_as_configured() {
    let to: Vec<UserId> = vec!["bob".parse().unwrap()];
    let (server, device) = offline(&[]).await;
    let before = Instant::now();
    let error = device.service.push(&to, InternalNotification::new("c")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ServiceErrorKind::Unavailable, true));
    assert_eq!(server.seen("/v1/notifications").len(), 4);
    assert!(before.elapsed() < Duration::from_secs(10));

    let device = Device::with(&server, |builder| builder.offline_push(OfflinePush::Wait));
    server.world().is_down = false;
    device.go_live().await;
    device.cut(&server).await;
    let (pushed, ()) = tokio::join!(device.service.push(&to, InternalNotification::new("c")), async {
        tokio::time::sleep(Duration::from_secs(10_000)).await;
        device.mend(&server);
    });
    let receipt = pushed.unwrap();
    assert_eq!((receipt.accepted, server.world().logs["bob"].head().pending), (1, 1));
    let mut pushes = server.seen("/v1/notifications").split_off(4);
    assert!(pushes.len() > 10);
    pushes.dedup_by_key(|seen| seen.body["notification"]["id"].clone());
    assert_eq!(pushes.len(), 1, "each attempt has the same id");

    device.cut(&server).await;
    let (pushed, ()) = tokio::join!(device.service.push(&to, InternalNotification::new("c")), async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        device.service.dispose().await;
    });
    assert_eq!(pushed.unwrap_err().kind(), ServiceErrorKind::NotInitialized);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_push_is_sent_as_soon_as_the_connection_is_back() {
    let to: Vec<UserId> = vec!["bob".parse().unwrap()];
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.offline_push(OfflinePush::Wait));
    device.go_live().await;
    device.cut(&server).await;
    for round in 0..10 {
        device.cut(&server).await;
        let (stored_at, live_at) = tokio::join!(
            async {
                device.service.push(&to, InternalNotification::new("c")).await.unwrap();
                Instant::now()
            },
            async {
                // By now the backoff is up to 10 s.
                tokio::time::sleep(Duration::from_secs(600)).await;
                device.mend(&server);
                device.until_live().await;
                Instant::now()
            }
        );
        let after = stored_at.saturating_duration_since(live_at);
        assert!(after < Duration::from_millis(50), "{round}: {after:?}");
    }
}
