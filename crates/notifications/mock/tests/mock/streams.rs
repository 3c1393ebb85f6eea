use futures_util::StreamExt;
use internal_notifications_mock::MockHub;
use internal_notifications_mock::models::InternalNotification;
use internal_notifications_service::{
    InternalNotificationsService, InternalNotificationsServiceExt, Snapshot,
};

use super::{announced, id, live, note, now, take};

#[test]
fn snapshots_yield_the_current_one_then_the_newest() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut snapshots = ada.snapshots();
    assert_eq!(take(&mut snapshots).0, [ada.snapshot()]);
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    assert_eq!(take(&mut snapshots).0, [ada.snapshot()]);
    now(ada.mark_opened(&[id("zzz")])).unwrap();
    ada.check_position();
    assert_eq!(take(&mut snapshots), (vec![], false));
}

#[test]
fn a_slow_reader_of_announcements_receives_skipped() {
    let hub = MockHub::new();
    let ada = live(hub.service_builder("ada").announcement_queue(4).build());
    let (mut slow, mut fast) = (ada.announcements(), ada.announcements());
    for n in 1..=6 {
        hub.push_as_backend("shop", ["ada"], note(&format!("n{n}"))).unwrap();
        assert_eq!(announced(&mut fast), [format!("n{n}")]);
    }
    assert_eq!(announced(&mut slow), ["skipped", "n3", "n4", "n5", "n6"]);
}

#[test]
fn streams_end_at_dispose_and_yield_nothing_of_the_user_after_it() {
    let hub = MockHub::new();
    let ada = hub.service("ada");
    let (mut snapshots, mut announcements) = (ada.snapshots(), ada.announcements());
    now(ada.init()).unwrap();
    hub.push_as_backend("shop", ["ada"], note("secret")).unwrap();
    now(ada.dispose());
    assert_eq!(take(&mut announcements), (vec![], true));
    assert_eq!(take(&mut snapshots), (vec![Snapshot::default()], true));
    now(ada.init()).unwrap();
    let mut announcements = ada.announcements();
    assert_eq!(ada.snapshot().notifications.len(), 1);
    assert_eq!(announced(&mut announcements), Vec::<String>::new());
}

#[test]
fn a_notification_opened_before_the_catch_up_is_not_announced() {
    let hub = MockHub::new();
    let (ada, other) = (live(hub.service("ada")), live(hub.service("ada")));
    let mut announcements = ada.announcements();
    ada.go_offline();
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    now(other.mark_opened(&[id("a")])).unwrap();
    ada.go_online();
    assert_eq!(announced(&mut announcements), ["b"]);
}

#[tokio::test]
async fn a_waiting_reader_wakes_up() {
    let hub = MockHub::new();
    let ada = hub.service("ada");
    ada.init().await.unwrap();
    let mut announcements = ada.announcements();
    let wait = ada.wait_until(1);
    let push = async { hub.push_as_backend("shop", ["ada"], InternalNotification::new("c")).unwrap() };
    let (snapshot, announcement, _) = tokio::join!(wait, announcements.next(), push);
    assert_eq!(snapshot.unwrap().pending, 1);
    assert!(announcement.is_some());
    let (end, ()) = tokio::join!(announcements.next(), ada.dispose());
    assert_eq!(end, None);
}

#[tokio::test]
async fn wait_for_ignores_the_empty_snapshot_after_dispose() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    let found = ada.wait_for(|snapshot| snapshot.pending == 0);
    let (found, ()) = tokio::join!(found, async {
        tokio::task::yield_now().await;
        ada.dispose().await;
    });
    assert_eq!(found, None);
}
