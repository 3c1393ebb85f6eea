use std::time::Duration;

use internal_notifications_pusher::contract::{
    InboxCommand, InternalNotificationsService, MAX_WINDOW, ServiceErrorKind,
};
use internal_notifications_pusher::models::NotificationId;
use tokio::time::Instant;

use crate::support::{Device, Fault, Server, soon};

fn with_notifications(count: usize) -> Server {
    let server = Server::new();
    (0..count).for_each(|n| drop(server.add("ada", &n.to_string())));
    server
}

/// Returns whether the list is the newest notifications of the server.
fn shows_newest(server: &Server, device: &Device, count: usize) -> bool {
    let page = server.world().logs["ada"].page(count, None).notifications;
    device.service.snapshot().notifications.iter().map(|row| &**row).eq(&page)
}

#[tokio::test(start_paused = true)]
async fn load_older_returns_when_they_are_loaded_or_there_are_no_more() {
    let server = with_notifications(500);
    let device = Device::with(&server, |builder| builder.window(3));
    device.go_live().await;
    assert!(device.service.snapshot().has_older);
    device.service.load_older(2).await.unwrap();
    assert!(shows_newest(&server, &device, 5));
    assert_eq!(server.seen("/v1/inbox").last().unwrap().query["before"], "498");
    device.service.load_older(450).await.unwrap();
    assert!(shows_newest(&server, &device, 455) && device.service.snapshot().has_older);
    device.service.load_older(1_000).await.unwrap();
    assert!(shows_newest(&server, &device, 500) && !device.service.snapshot().has_older);
    let requests = server.seen("").len();
    device.service.load_older(1).await.unwrap();
    assert_eq!(server.seen("").len(), requests, "there is nothing to load");
    server.add("ada", "new");
    device.until_seq(501).await;
    assert!(shows_newest(&server, &device, 501), "the list keeps its length");
    for _ in 0..6 {
        device.service.load_older(1_000).await.unwrap();
    }
    assert_eq!(server.seen("").len(), requests, "the list is complete and does not grow");
}

#[tokio::test(start_paused = true)]
async fn a_window_beyond_one_page_is_filled_after_init() {
    let server = with_notifications(700);
    let device = Device::with(&server, |builder| builder.window(650));
    device.service.init().await.unwrap();
    assert!(shows_newest(&server, &device, 200));
    device.until(|snapshot| snapshot.notifications.len() == 650).await;
    assert!(shows_newest(&server, &device, 650));
}

#[tokio::test(start_paused = true)]
async fn a_removal_makes_room_for_an_older_one() {
    let server = with_notifications(5);
    let device = Device::with(&server, |builder| builder.window(3));
    device.go_live().await;
    device.service.remove(&NotificationId::new("3").unwrap()).await.unwrap();
    device.until(|snapshot| snapshot.notifications.len() == 3).await;
    assert_eq!(device.ids(), ["4*", "2*", "1*"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_load_older_fails_in_time() {
    let server = with_notifications(5);
    let device = Device::with(&server, |builder| builder.window(2));
    device.go_live().await;
    let kind = async || device.service.load_older(1).await.unwrap_err().kind();
    server.fail("/v1/inbox", Fault::Unreachable);
    assert_eq!(kind().await, ServiceErrorKind::Unavailable);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(device.ids().len(), 2, "a failed call changes nothing");

    device.cut(&server).await;
    let before = Instant::now();
    server.fail("/v1/inbox", Fault::Silence);
    assert_eq!(kind().await, ServiceErrorKind::Unavailable);
    assert!(before.elapsed() <= Duration::from_secs(2), "{:?}", before.elapsed());
    server.world().heal();
    for _ in 0..120 {
        assert_eq!(device.service.load_older(50).await.unwrap_err().kind(), ServiceErrorKind::Unavailable);
    }
    device.mend(&server);
    device.until_live().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(device.ids().len(), 2, "many failed calls change nothing");

    device.service.unsubscribe().await.unwrap();
    assert_eq!(kind().await, ServiceErrorKind::Unavailable);
    device.service.subscribe().await.unwrap();
    device.service.load_older(1).await.unwrap();
    assert!(shows_newest(&server, &device, 3));
    device.service.load_older(9).await.unwrap();
    assert!(shows_newest(&server, &device, 5));
    device.cut(&server).await;
    assert_eq!(device.service.load_older(1).await, Ok(()), "there are no more");
}

#[tokio::test(start_paused = true)]
async fn unsubscribe_ends_a_pending_load_older() {
    let server = with_notifications(5);
    let device = Device::with(&server, |builder| builder.window(2));
    device.go_live().await;
    server.fail("/v1/inbox", Fault::Silence);
    let before = Instant::now();
    let (loaded, ()) = tokio::join!(device.service.load_older(1), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        device.service.unsubscribe().await.unwrap();
    });
    assert_eq!(loaded.unwrap_err().kind(), ServiceErrorKind::Unavailable);
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_list_has_a_maximum_length() {
    let server = with_notifications(MAX_WINDOW + 1);
    let device = Device::with(&server, |builder| builder.window(MAX_WINDOW - 1));
    device.go_live().await;
    device.service.load_older(usize::MAX).await.unwrap();
    let error = device.service.load_older(1).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::WindowFull);
}

#[tokio::test(start_paused = true)]
async fn failing_older_pages_do_not_delay_the_position_check() {
    let server = with_notifications(5);
    let device = Device::with(&server, |builder| builder.window(2).position_check(Duration::from_secs(60)));
    device.go_live().await;
    server.world().fails_older = true;
    device.service.load_older(1).await.unwrap_err();
    let lost = Instant::now();
    server.add_silently("ada", "lost");
    device.until(|snapshot| snapshot.position.seq == 6).await;
    assert!(lost.elapsed() <= Duration::from_secs(75), "{:?}", lost.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_older_page_newer_than_the_replica_starts_a_catch_up_first() {
    let server = with_notifications(5);
    let device = Device::with(&server, |builder| builder.window(2));
    device.go_live().await;
    server.world().mute = true;
    server.write("ada", InboxCommand::Opened(vec![NotificationId::new("2").unwrap()])).unwrap();
    server.add("ada", "new");
    soon(device.service.load_older(2)).await.unwrap();
    assert_eq!(device.ids(), ["new*", "4*", "3*", "2"]);
}
