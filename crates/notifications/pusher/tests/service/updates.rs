use futures_util::FutureExt;
use internal_notifications_pusher::contract::{InboxCommand, InternalNotificationsService, Status};
use internal_notifications_pusher::models::ChangeKind;
use internal_notifications_pusher::{Update, Updates};

use crate::support::{Device, Server, ids, soon};

/// Returns the next update as one line.
async fn next_line(updates: &mut Updates) -> String {
    match soon(updates.next()).await {
        Some(Update::Snapshot { snapshot, reset }) => {
            format!("{} {:?}{}", snapshot.position.seq, ids(&snapshot), if reset { " reset" } else { "" })
        }
        Some(Update::Change(change)) => {
            let what = match &change.kind {
                ChangeKind::Added { notification } => format!("+{}", notification.id),
                ChangeKind::OpenedAll { .. } => "all".into(),
                other => format!("{other:?}"),
            };
            format!("{} {what}", change.stamp.seq)
        }
        Some(Update::Status(status)) => format!("{status:?}"),
        other => format!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn updates_yield_every_change_in_order_live_or_caught_up() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    let mut updates = device.service.updates();
    server.add("ada", "b");
    device.until_seq(2).await;
    server.add_silently("ada", "c");
    server.write("ada", InboxCommand::OpenedAll { through: None, tag: None }).unwrap();
    device.until_seq(4).await;
    for line in [r#"1 ["a*"]"#, "2 +b", "CatchingUp", "3 +c", "4 all", "Live"] {
        assert_eq!(next_line(&mut updates).await, line);
    }
    assert_eq!(updates.next().now_or_never(), None);
    device.service.dispose().await;
    assert_eq!(soon(updates.next()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_reader_from_before_init_sees_the_start() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::new(&server);
    let mut updates = device.service.updates();
    device.go_live().await;
    for line in ["0 []", "Starting", r#"1 ["a*"]"#, "Connecting", "CatchingUp", "Live"] {
        assert_eq!(next_line(&mut updates).await, line);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_a_snapshot() {
    let server = Server::new();
    ["a", "b"].iter().for_each(|id| drop(server.add("ada", id)));
    let device = Device::live(&server).await;
    let mut updates = device.service.updates();
    server.world().logs.clear();
    server.add("ada", "x");
    device.until_seq(1).await;
    for line in [r#"2 ["b*", "a*"]"#, "CatchingUp", r#"1 ["x*"] reset"#, "Live"] {
        assert_eq!(next_line(&mut updates).await, line);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_continues_from_a_snapshot() {
    const MANY: u64 = 9_000;
    let server = Server::new();
    let device = Device::live(&server).await;
    let mut updates = device.service.updates();
    (1..=MANY).for_each(|n| drop(server.add_silently("ada", &n.to_string())));
    server.trigger("ada", "internal-notifications-changed", "something");
    device.until_seq(MANY).await;

    assert_eq!(next_line(&mut updates).await, "0 []");
    let mut seq = 0;
    let resumed = loop {
        match soon(updates.next()).await.unwrap() {
            Update::Change(change) => {
                seq += 1;
                assert_eq!(change.stamp.seq, seq);
            }
            Update::Snapshot { snapshot, reset: true } => break snapshot,
            Update::Status(Status::CatchingUp) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(seq < MANY);
    assert_eq!(resumed, device.service.snapshot());
    server.add("ada", "more");
    assert_eq!(next_line(&mut updates).await, format!("{} +more", MANY + 1));
}
