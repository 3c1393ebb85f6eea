use internal_notifications_store::Store;

use crate::bench_store::{Bench, at, push, push_at};

#[tokio::test]
async fn what_expired_before_fifty_thousand_got_it_goes_within_the_time_of_a_call() {
    let Some(bench) = Bench::new().await else { return };
    for part in ["a", "b", "c", "d", "e"] {
        let users: Vec<String> = (0..10_000).map(|user| format!("{part}{user}")).collect();
        let mut push = push_at(at(0), push("n", &users.iter().map(String::as_str).collect::<Vec<_>>()));
        push.notification.send_after = Some(at(100));
        push.notification.expires_at = Some(at(200));
        assert_eq!(bench.store.push(push).await.unwrap().scheduled, 10_000);
    }
    let done = bench.store.advance(at(200), 1_000).await.unwrap();
    assert_eq!((done.delivered, done.withdrawn), (0, 0));
    assert_eq!(bench.schema.number("SELECT count(*) FROM scheduled").await, 0);
    assert_eq!(bench.schema.number("SELECT count(*) FROM withdrawals").await, 0);
}
