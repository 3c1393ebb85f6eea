use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use internal_notifications_pusher::contract::{
    Announcement, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status,
};
use internal_notifications_pusher::models::{InternalNotification, NotificationId};
use internal_notifications_pusher::{
    Credentials, HttpClient, HttpRequest, HttpResponse, Identity, MAX_RESPONSE_BYTES,
};

use crate::support::{Device, Fault, Server, ids, soon};

#[tokio::test(start_paused = true)]
async fn init_returns_with_the_first_snapshot() {
    let server = Server::new();
    ["a", "b", "c"].iter().for_each(|id| drop(server.add("ada", id)));
    let device = Device::with(&server, |builder| builder.window(2));
    device.service.init().await.unwrap();
    assert_eq!((device.ids(), device.service.snapshot().pending), (vec!["c*".into(), "b*".into()], 3));
    assert_eq!(server.seen("/v1/inbox")[0].query["limit"], "2");
    device.until_live().await;
    let requests = server.seen("").len();
    device.service.init().await.unwrap();
    assert_eq!(server.seen("").len(), requests, "a second init does nothing");
}

#[tokio::test(start_paused = true)]
async fn before_init_and_after_dispose_every_call_fails() {
    let server = Server::new();
    let device = Device::new(&server);
    let id = NotificationId::new("a").unwrap();
    for round in 0..2 {
        let service = &device.service;
        let pushed = service.push(&[], InternalNotification::new("c")).await.map(drop);
        for outcome in [
            pushed,
            service.mark_opened(&[]).await.map(drop),
            service.mark_unopened(&[]).await.map(drop),
            service.mark_all_opened().await.map(drop),
            service.remove(&id).await.map(drop),
            service.subscribe().await,
            service.unsubscribe().await,
            service.load_older(1).await,
        ] {
            assert_eq!(outcome.unwrap_err().kind(), ServiceErrorKind::NotInitialized);
        }
        assert_eq!(service.snapshot(), Snapshot::default());
        if round == 0 {
            device.go_live().await;
        }
        service.dispose().await;
        service.dispose().await;
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_inits_share_one_attempt() {
    let server = Server::new();
    server.fail("/realtime", Fault::foreign(503));
    let device = Device::new(&server);
    let (one, two) = tokio::join!(device.service.init(), device.service.init());
    assert_eq!(one, two);
    assert_eq!(one.unwrap_err().kind(), ServiceErrorKind::Unavailable);
    assert_eq!(device.service.snapshot().status, Status::Idle);
    let (one, two) = tokio::join!(device.service.init(), device.service.init());
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(server.seen("/realtime").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_init_reports_the_kind_and_leaves_the_service_idle() {
    let server = Server::new();
    let device = Device::new(&server);
    let mut too_long = br#"{"seq":0,"tag":null,"pending":0,"notifications":[],"next":null}"#.to_vec();
    too_long.resize(MAX_RESPONSE_BYTES + 1, b' ');
    for (fault, kind) in [
        (Fault::foreign(401), ServiceErrorKind::Unauthorized),
        (Fault::refusal(401), ServiceErrorKind::Unauthorized),
        (Fault::refusal(403), ServiceErrorKind::Forbidden),
        (Fault::foreign(403), ServiceErrorKind::Unavailable),
        (Fault::foreign(302), ServiceErrorKind::Unavailable),
        (Fault::Unreachable, ServiceErrorKind::Unavailable),
        (Fault::Silence, ServiceErrorKind::Unavailable),
        (Fault::Response(HttpResponse::new(200, "{}")), ServiceErrorKind::Protocol),
        (Fault::Response(HttpResponse::new(200, too_long)), ServiceErrorKind::Protocol),
        (Fault::Response(HttpResponse::new(200, vec![b'['; 20_000])), ServiceErrorKind::Protocol),
    ] {
        server.fail("/v1/inbox", fault);
        assert_eq!(device.service.init().await.unwrap_err().kind(), kind);
        assert_eq!(device.service.snapshot(), Snapshot::default());
        assert_eq!(
            device.service.mark_opened(&[]).await.unwrap_err().kind(),
            ServiceErrorKind::NotInitialized
        );
    }
    device.go_live().await;
}

#[tokio::test(start_paused = true)]
async fn a_url_without_an_inbox_server_is_a_mistake_that_names_it() {
    let server = Server::new();
    let device = Device::new(&server);
    for status in [200, 404, 405] {
        server.fail("/realtime", Fault::foreign(status));
        let error = device.service.init().await.unwrap_err();
        assert_eq!(error.kind(), ServiceErrorKind::Configuration, "{status}");
        let text = error.to_string();
        assert!(text.contains("http://inbox.test") && text.contains("INTERNAL_NOTIFICATIONS_URL"), "{text}");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains(&status.to_string()));
    }
    device.go_live().await;
}

#[tokio::test(start_paused = true)]
async fn dispose_ends_an_init_in_progress() {
    let server = Server::new();
    server.fail("/realtime", Fault::Silence);
    let device = Device::new(&server);
    let (init, ()) = tokio::join!(device.service.init(), async {
        device.until(|snapshot| snapshot.status == Status::Starting).await;
        device.service.dispose().await;
    });
    assert_eq!(init.unwrap_err().kind(), ServiceErrorKind::NotInitialized);
}

/// Counts the requests in progress.
#[derive(Clone)]
struct Counted {
    server: Server,
    in_progress: Arc<()>,
}

impl Counted {
    fn new(server: &Server) -> Self {
        Self { server: server.clone(), in_progress: Arc::default() }
    }
}

#[async_trait::async_trait]
impl HttpClient for Counted {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let _request = Arc::clone(&self.in_progress);
        self.server.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn dispose_leaves_no_task_no_request_and_no_connection() {
    let server = Server::new();
    let client = Counted::new(&server);
    let in_progress = Arc::clone(&client.in_progress);
    let device = Device::with(&server, |builder| builder.http_client(client));
    let held_when_idle = Arc::strong_count(&in_progress);
    device.go_live().await;
    server.fail("/opened", Fault::Silence);
    let id = NotificationId::new("a").unwrap();
    let ids = [id];
    let (write, ()) = tokio::join!(device.service.mark_opened(&ids), async {
        while server.seen("/opened").is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(Arc::strong_count(&in_progress) > held_when_idle);
        assert!(server.broker.connections() > 0);
        device.service.dispose().await;
    });
    assert_eq!(write.unwrap_err().kind(), ServiceErrorKind::NotInitialized);
    soon(async {
        while Arc::strong_count(&in_progress) > held_when_idle || server.broker.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_everything() {
    let server = Server::new();
    let client = Arc::new(Counted::new(&server));
    let held = Arc::downgrade(&client);
    let device = Device::with(&server, |builder| builder.http_client(client));
    device.go_live().await;
    let another = device.service.clone();
    let mut snapshots = device.service.snapshots();
    let mut updates = device.service.updates();
    drop(device);
    server.add("ada", "a");
    while snapshots.next().await.unwrap().position.seq < 1 {}
    drop(another);
    soon(async {
        while snapshots.next().await.is_some() {}
        while updates.next().await.is_some() {}
        while held.strong_count() > 0 || server.broker.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_an_abandoned_init() {
    let server = Server::new();
    server.fail("/realtime", Fault::Silence);
    let client = Arc::new(Counted::new(&server));
    let held = Arc::downgrade(&client);
    let device = Device::with(&server, |builder| builder.http_client(client));
    let before = tokio::time::Instant::now();
    assert!(tokio::time::timeout(Duration::from_secs(1), device.service.init()).await.is_err());
    assert_eq!(device.service.snapshot().status, Status::Starting);
    drop(device);
    while held.strong_count() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(before.elapsed() < Duration::from_secs(2));
}

struct ChangingUser(std::sync::Mutex<&'static str>);

#[async_trait::async_trait]
impl Identity for ChangingUser {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        let user = *self.0.lock().unwrap();
        Credentials::new(user.parse().unwrap(), format!("{user}-token"))
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_user_sees_nothing_of_the_last() {
    let server = Server::new();
    server.add("ada", "adas");
    let identity = Arc::new(ChangingUser(std::sync::Mutex::new("ada")));
    let device = Device::with_identity(&server, identity.clone());
    device.go_live().await;
    let (mut snapshots, mut announcements) = (device.service.snapshots(), device.service.announcements());
    device.service.dispose().await;
    assert_eq!(device.service.snapshot(), Snapshot::default());
    let last = soon((&mut snapshots).fold(None, async |_, snapshot| Some(snapshot))).await;
    assert_eq!(last, Some(Snapshot::default()), "streams end with the empty snapshot");
    assert_eq!(soon(announcements.next()).await, None);

    let mut early = device.service.snapshots();
    assert_eq!(early.next().await, Some(Snapshot::default()));
    *identity.0.lock().unwrap() = "bob";
    device.go_live().await;
    assert_eq!(device.service.snapshot().pending, 0);
    server.add("ada", "adas-2");
    server.add("bob", "bobs");
    while ids(&soon(early.next()).await.unwrap()) != ["bobs*"] {}
}

#[tokio::test(start_paused = true)]
async fn unsubscribe_keeps_the_state_and_subscribe_catches_up() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    device.service.unsubscribe().await.unwrap();
    device.service.unsubscribe().await.unwrap();
    assert_eq!((device.ids(), device.service.snapshot().status), (vec!["a*".to_owned()], Status::Paused));
    soon(async {
        while server.broker.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let requests = server.seen("").len();
    server.add("ada", "b");
    tokio::time::sleep(Duration::from_secs(200_000)).await;
    assert_eq!((device.ids(), server.seen("").len()), (vec!["a*".to_owned()], requests));
    device.service.subscribe().await.unwrap();
    device.service.subscribe().await.unwrap();
    device.until_seq(2).await;
    assert_eq!(device.ids(), ["b*", "a*"]);
}

#[tokio::test(start_paused = true)]
async fn a_response_in_progress_changes_nothing_after_unsubscribe() {
    let server = Server::new();
    let device = Device::live(&server).await;
    server.add_silently("ada", "a");
    server.add("ada", "b");
    device.until(|snapshot| snapshot.status == Status::CatchingUp).await;
    let requests = server.seen("/changes").len();
    device.service.unsubscribe().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.seen("/changes").len(), requests, "the request was in progress");
    assert_eq!((device.ids(), device.service.snapshot().status), (Vec::new(), Status::Paused));
}

#[tokio::test(start_paused = true)]
async fn each_notification_is_announced_once_except_those_of_the_first_snapshot() {
    let server = Server::new();
    server.add("ada", "old");
    let device = Device::new(&server);
    let mut announcements = device.service.announcements();
    device.go_live().await;
    server.add("ada", "live");
    device.until_seq(2).await;
    server.add_silently("ada", "lost");
    server.add("ada", "found");
    device.until_seq(4).await;
    let mut announced = Vec::new();
    for _ in 0..3 {
        match soon(announcements.next()).await {
            Some(Announcement::Notification(row)) => announced.push(row.id.to_string()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(announced, ["live", "lost", "found"]);
}

#[tokio::test(start_paused = true)]
async fn dispose_discards_what_a_reader_has_not_read() {
    let server = Server::new();
    let device = Device::live(&server).await;
    let mut announcements = device.service.announcements();
    let mut updates = device.service.updates();
    server.add("ada", "a");
    device.until_seq(1).await;
    // A call that is no longer polled keeps what it needs.
    let mut push = device.service.push(&[], InternalNotification::new("c"));
    assert!((&mut push).now_or_never().is_none());
    device.service.dispose().await;
    assert_eq!(soon(announcements.next()).await, None);
    assert_eq!(soon(updates.next()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_dispose_has_ended_the_streams() {
    let server = Server::new();
    let device = Device::live(&server).await;
    let mut announcements = device.service.announcements();
    let (mut snapshots, mut updates) = (device.service.snapshots(), device.service.updates());
    server.add("ada", "secret");
    device.until_seq(1).await;
    let mut push = device.service.push(&[], InternalNotification::new("c"));
    assert!((&mut push).now_or_never().is_none());
    assert!(device.service.dispose().now_or_never().is_none(), "the task is still ending");
    assert_eq!(announcements.next().now_or_never(), Some(None));
    assert_eq!(updates.next().now_or_never(), Some(None));
    assert_eq!(snapshots.next().now_or_never(), Some(Some(Snapshot::default())));
    assert_eq!(snapshots.next().now_or_never(), Some(None));
    device.service.dispose().await;
    assert_eq!(device.service.snapshot(), Snapshot::default());
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_published_only_when_they_differ() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.go_live().await;
    let mut snapshots = device.service.snapshots();
    assert_eq!(snapshots.next().await, Some(device.service.snapshot()));
    let checks = server.seen("/head").len();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(server.seen("/head").len() > checks + 2);
    assert_eq!(snapshots.next().now_or_never(), None);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_of_announcements_gets_skipped() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.announcement_queue(4));
    device.go_live().await;
    let mut announcements = device.service.announcements();
    (0..10).for_each(|n| drop(server.add("ada", &n.to_string())));
    device.until_seq(10).await;
    assert_eq!(soon(announcements.next()).await, Some(Announcement::Skipped));
    match soon(announcements.next()).await {
        Some(Announcement::Notification(row)) => assert_eq!(row.id.as_str(), "6"),
        other => panic!("{other:?}"),
    }
}
