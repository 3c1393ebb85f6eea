use internal_notifications_store::Store;

use crate::fixture::{Fixture, at, push, push_at};

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
