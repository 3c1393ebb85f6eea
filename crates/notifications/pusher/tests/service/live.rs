use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications_pusher::contract::{
    Announcement, InboxCommand, InternalNotificationsService, Status, with_causes,
};
use internal_notifications_pusher::models::{CHANGED_EVENT, EVENT, LiveEvent, NotificationId};
use tokio::time::Instant;

use crate::support::{Device, Fault, Server, soon};

fn id(id: &str) -> NotificationId {
    NotificationId::new(id).unwrap()
}

#[tokio::test(start_paused = true)]
async fn live_changes_show_without_a_request() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    let requests = server.seen("/v1/").len();

    server.add("ada", "b");
    assert_eq!(device.until_seq(2).await.pending, 2);
    assert_eq!(device.ids(), ["b*", "a*"]);

    server.write("ada", InboxCommand::Opened(vec![id("a")])).unwrap();
    assert_eq!(device.until_seq(3).await.pending, 1);
    server.write("ada", InboxCommand::Remove(id("b"))).unwrap();
    assert_eq!(device.until_seq(4).await.pending, 0);
    assert_eq!(device.ids(), ["a"]);
    assert_eq!(server.seen("/v1/").len(), requests);
}

#[tokio::test(start_paused = true)]
async fn changes_between_the_snapshot_and_the_subscription_are_caught_up() {
    let server = Server::new();
    let device = Device::new(&server);
    device.network.cut(true);
    device.service.init().await.unwrap();
    assert_ne!(device.service.snapshot().status, Status::Live);
    server.add("ada", "a");
    device.network.cut(false);
    device.until_seq(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_last_event_is_noticed_within_the_interval() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.go_live().await;
    for n in 1..=20 {
        tokio::time::advance(Duration::from_secs(7 * n)).await;
        let lost = Instant::now();
        server.add_silently("ada", &n.to_string());
        device.until_seq(n).await;
        assert!(lost.elapsed() <= Duration::from_secs(60), "{n}: {:?}", lost.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_position_confirmed_by_an_event_is_not_checked() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.go_live().await;
    for n in 1..=20 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        server.add("ada", &n.to_string());
        device.until_seq(n).await;
    }
    assert_eq!(server.seen("/head").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_servers_interval_is_the_default() {
    let server = Server::new();
    let device = Device::live(&server).await;
    server.add_silently("ada", "a");
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    assert_eq!(device.service.snapshot().position.seq, 0);

    let builder = internal_notifications_pusher::PusherService::builder().url("http://inbox.test");
    let builder =
        builder.user("ada", "ada-token").http_client(server.clone()).connector(device.network.clone());
    let device = Device { service: builder.build().unwrap(), network: device.network.clone() };
    device.go_live().await;
    let before = server.seen("/head").len();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!((10..=12).contains(&(server.seen("/head").len() - before)));
}

#[tokio::test(start_paused = true)]
async fn the_inbox_is_polled_while_the_socket_is_down() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.go_live().await;
    device.network.cut(true);
    device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    let lost = Instant::now();
    server.add("ada", "a");
    device
        .until(|snapshot| snapshot.position.seq == 1 && matches!(snapshot.status, Status::Offline(_)))
        .await;
    assert!(lost.elapsed() <= Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_caught_up() {
    let server = Server::new();
    let device = Device::live(&server).await;
    server.add_silently("ada", "a");
    server.add("ada", "b");
    device.until_seq(2).await;
    assert_eq!(device.ids(), ["b*", "a*"]);
}

#[tokio::test(start_paused = true)]
async fn a_thin_event_is_caught_up() {
    let server = Server::new();
    let device = Device::live(&server).await;
    let change = server.add_silently("ada", "a");
    server.trigger("ada", EVENT, &LiveEvent::thin(change.stamp));
    device.until_seq(1).await;
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_live_event_starts_a_catch_up() {
    let server = Server::new();
    let device = Device::live(&server).await;
    for (n, data) in [r#"{"content":7}"#, "no json", r#"{"inbox":{"seq":-1}}"#].into_iter().enumerate() {
        server.add_silently("ada", &n.to_string());
        server.trigger("ada", CHANGED_EVENT, data);
        device.until_seq(n as u64 + 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn events_of_other_names_are_ignored() {
    let server = Server::new();
    let device = Device::live(&server).await;
    let requests = server.seen("").len();
    let forged = server.add_silently("ada", "a");
    let (_, data) = LiveEvent::encode(&forged, 10_240);
    for event in ["client-internal-notification", "news", "Internal Notification"] {
        server.trigger("ada", event, &data);
        server.trigger("ada", event, "no json");
    }
    // The channel keeps the order, so the events before this one have been read.
    server.add("ada", "b");
    device.until_seq(2).await;
    assert_eq!(server.seen("").len(), requests + 1);
}

#[tokio::test(start_paused = true)]
async fn a_further_event_may_carry_notifications() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.event_name("order-news"));
    device.go_live().await;
    let mut announcements = device.service.announcements();
    server.trigger("ada", "order-news", r#"{"content":"from elsewhere"}"#);
    match soon(announcements.next()).await {
        Some(Announcement::Bare(notification)) => assert_eq!(notification.content, "from elsewhere"),
        other => panic!("{other:?}"),
    }
    server.add("ada", "a");
    device.until_seq(1).await;
    assert_eq!(device.ids(), ["a*"]);
}

#[tokio::test(start_paused = true)]
async fn a_restored_backup_is_noticed_at_the_first_event() {
    let server = Server::new();
    for n in 0..300 {
        server.add("ada", &n.to_string());
    }
    let backup = server.world().logs["ada"].clone();
    let device = Device::live(&server).await;
    server.add("ada", "lost");
    device.until_seq(301).await;

    server.world().logs.insert("ada".into(), backup);
    server.add("ada", "new");
    device.until(|snapshot| snapshot.notifications[0].id.as_str() == "new").await;
    device.until_live().await;
    device.until(|snapshot| snapshot.notifications.len() == 200).await;
    let page = server.world().logs["ada"].page(200, None);
    let rows = device.service.snapshot().notifications;
    assert!(rows.iter().map(|row| &**row).eq(&page.notifications), "the window is full and equal");
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_reconnects_and_misses_nothing() {
    let server = Server::new();
    let device = Device::live(&server).await;
    for n in 1..=5 {
        device.network.cut(true);
        device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
        server.add("ada", &n.to_string());
        device.network.cut(false);
        device.until_seq(n).await;
    }
}

#[tokio::test(start_paused = true)]
async fn failed_requests_are_retried() {
    let server = Server::new();
    let device = Device::live(&server).await;
    for fault in [Fault::Unreachable, Fault::foreign(503), Fault::foreign(200), Fault::foreign(403)] {
        server.fail("/changes", fault);
    }
    server.fail("/changes", Fault::Silence);
    server.add_silently("ada", "a");
    server.add("ada", "b");
    device.until_seq(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejected_channel_is_reported_polled_and_retried() {
    let server = Server::new();
    server.world().rejects_channels = true;
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.service.init().await.unwrap();
    device
        .until(
            |snapshot| matches!(&snapshot.status, Status::Polling(why) if with_causes(why).contains("403")),
        )
        .await;
    server.add("ada", "a");
    device.until(|snapshot| snapshot.position.seq == 1).await;
    server.world().rejects_channels = false;
    device.until_live().await;
    server.add("ada", "b");
    device.until_seq(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_has_moved_is_followed() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.go_live().await;
    server.world().live_host = Some("elsewhere.test".to_owned());
    device.network.move_to("elsewhere.test");
    server.add("ada", "a");
    device.until_seq(1).await;
}
