use internal_notifications_store::Store;

use crate::fixture::{Fixture, at, push, push_at};

#[tokio::test]
async fn a_notification_that_expires_before_delivery_to_fifty_thousand_is_cancelled_in_one_call() {
    let Some(fixture) = Fixture::new().await else { return };
    for part in ["a", "b", "c", "d", "e"] {
        let users: Vec<String> = (0..10_000).map(|user| format!("{part}{user}")).collect();
        let mut push = push_at(at(0), push("n", &users.iter().map(String::as_str).collect::<Vec<_>>()));
        push.notification.send_after = Some(at(100));
        push.notification.expires_at = Some(at(200));
        assert_eq!(fixture.store.push(push).await.unwrap().scheduled, 10_000);
    }
    let done = fixture.store.advance(at(200), 1_000).await.unwrap();
    assert_eq!((done.delivered, done.withdrawn), (0, 0));
    assert_eq!(fixture.schema.number("SELECT count(*) FROM scheduled").await, 0);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM withdrawals").await, 0);
}
