use internal_notifications_store::Store;

use crate::fixture::{Fixture, at, id, push, push_at};

#[tokio::test]
async fn a_large_schedule_that_expires_is_cancelled_in_steps_beside_which_others_are_delivered() {
    let Some(fixture) = Fixture::new().await else { return };
    for part in ["a", "b", "c", "d", "e"] {
        let users: Vec<String> = (0..10_000).map(|user| format!("{part}{user}")).collect();
        let mut push = push_at(at(0), push("n", &users.iter().map(String::as_str).collect::<Vec<_>>()));
        push.notification.send_after = Some(at(100));
        push.notification.expires_at = Some(at(200));
        assert_eq!(fixture.store.push(push).await.unwrap().scheduled, 10_000);
    }
    let mut due = push("due", &["ada"]);
    due.notification.send_after = Some(at(150));
    fixture.store.push(due).await.unwrap();
    let done = fixture.store.advance(at(200), 1_000).await.unwrap();
    assert_eq!((done.delivered, done.withdrawn, done.expired), (1, 0, 5_000));
    let mut expired = done.expired;
    loop {
        let done = fixture.store.advance(at(200), 1_000).await.unwrap();
        assert_eq!((done.delivered, done.withdrawn), (0, 0));
        expired += done.expired;
        if done.is_idle() {
            break;
        }
    }
    assert_eq!(expired, 50_000);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM scheduled").await, 0);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM withdrawals").await, 0);
}

#[tokio::test]
async fn deliveries_that_have_left_their_inbox_count_towards_the_limit_of_a_step() {
    let Some(fixture) = Fixture::new().await else { return };
    let users: Vec<String> = (0..35).map(|user| format!("user-{user}")).collect();
    let mut push = push("n", &users.iter().map(String::as_str).collect::<Vec<_>>());
    push.notification.expires_at = Some(at(10));
    fixture.store.push(push).await.unwrap();
    let remove = "UPDATE deliveries SET removed_at = 0 WHERE inbox < (SELECT max(inbox) FROM deliveries)";
    fixture.schema.sql(remove).await;
    for _ in 0..3 {
        let done = fixture.store.advance(at(10), 10).await.unwrap();
        assert_eq!((done.withdrawn, done.has_more), (0, true));
        assert_eq!(fixture.schema.number("SELECT count(*) FROM withdrawals").await, 1);
    }
    assert_eq!(fixture.store.advance(at(10), 10).await.unwrap().withdrawn, 1);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM withdrawals").await, 0);
    assert!(fixture.store.advance(at(10), 10).await.unwrap().is_idle());
}

#[tokio::test]
async fn a_retraction_that_many_have_removed_is_removed_from_the_others_in_steps() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("n", &["ada"]).await;
    let many = "INSERT INTO inboxes (user_id, seq, tag, pending) SELECT 'user-' || n, 1, 1, (n > 110000)::int FROM generate_series(1, 110001) n;
        INSERT INTO deliveries (inbox, added, notification, created_at, removed_at)
        SELECT i.key, 1, n.key, 0, CASE WHEN i.pending = 0 THEN 0 END FROM inboxes i, notifications n WHERE i.user_id <> 'ada'";
    fixture.schema.sql(many).await;
    let retraction = fixture.store.retract(&id("n"), at(10)).await.unwrap();
    assert_eq!((retraction.cancelled, retraction.removed), (0, 2));
    let present = "SELECT count(*) FROM deliveries WHERE removed_at IS NULL";
    assert_eq!(fixture.schema.number(present).await, 0);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM withdrawals").await, 0);
}

#[tokio::test]
async fn a_due_notification_that_fails_does_not_stop_the_others() {
    let Some(fixture) = Fixture::new().await else { return };
    for name in ["bad", "good", "other"] {
        let mut push = push(name, &["ada", "bob"]);
        push.notification.send_after = Some(at(10));
        push.notification.expires_at = Some(at(20));
        fixture.store.push(push).await.unwrap();
    }
    let bad = fixture.schema.number("SELECT key FROM notifications WHERE id = 'bad'").await;
    fixture.schema.sql(&format!("ALTER TABLE deliveries ADD CHECK (notification <> {bad})")).await;
    assert_eq!(fixture.store.advance(at(10), 100).await.unwrap().delivered, 4);
    assert!(fixture.store.advance(at(10), 100).await.unwrap().is_idle(), "it is set aside");
    fixture.schema.sql("UPDATE withdrawals SET reason = 'unknown' WHERE notification % 2 = 0").await;
    let expired = fixture.schema.number("SELECT count(*) FROM withdrawals WHERE reason = 'expired'").await;
    assert!((1..3).contains(&expired));
    let (mut withdrawn, mut calls) = (0, 0);
    loop {
        let done = fixture.store.advance(at(20), 100).await.unwrap();
        withdrawn += done.withdrawn;
        calls += 1;
        if done.is_idle() {
            break;
        }
    }
    let left = fixture.schema.number("SELECT count(*) FROM deliveries WHERE removed_at IS NULL").await;
    assert_eq!((withdrawn.cast_signed() + left, calls < 5), (4, true));
    assert_eq!(fixture.schema.number("SELECT count(*) FROM withdrawals WHERE reason = 'expired'").await, 0);
}
