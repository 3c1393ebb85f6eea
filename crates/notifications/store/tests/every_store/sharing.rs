use std::sync::Arc;
use std::time::Duration;

use internal_notifications_store::{PublishLimits, Store};

use crate::backend::Backend;
use crate::bench::{Bench, push, user};

/// Two servers' stores over the same inboxes; ada has one change.
async fn two(on: Backend) -> (Bench, Arc<dyn Store>) {
    let bench = Bench::new(on).await;
    let other = bench.another().await;
    assert!(bench.store.is_shared() && other.is_shared());
    bench.push("a", &["ada"]).await;
    (bench, other)
}

/// The seqs that a server may publish of ada.
async fn claim(store: &Arc<dyn Store>) -> Vec<u64> {
    let most = PublishLimits::new(100, 10_000);
    let told = store.claim_unpublished(&[(user("ada"), 0)], most).await.unwrap();
    told.iter().flat_map(|of| &of.changes).map(|change| change.stamp.seq).collect()
}

async fn mark(store: &Arc<dyn Store>, seq: u64) -> usize {
    store.mark_published(&[(user("ada"), seq)]).await.unwrap().len()
}

async fn behind(store: &Arc<dyn Store>) -> usize {
    store.unpublished_users(10).await.unwrap().len()
}

async fn what_one_server_publishes_the_other_leaves_alone(on: Backend) {
    let (bench, other) = two(on).await;
    assert_eq!((behind(&bench.store).await, behind(&other).await), (1, 1));
    assert_eq!(claim(&bench.store).await, [1]);
    assert_eq!((claim(&other).await, behind(&other).await), (vec![], 0));
    assert_eq!(claim(&bench.store).await, [1], "its own lease does not keep it out");
    assert_eq!(mark(&bench.store, 1).await, 0);
    other.push(push("b", &["ada"])).await.unwrap();
    assert_eq!(claim(&other).await, [2]);
}

async fn who_publishes_is_told_of_what_came_meanwhile(on: Backend) {
    let (bench, other) = two(on).await;
    assert_eq!(claim(&bench.store).await, [1]);
    other.push(push("b", &["ada"])).await.unwrap();
    assert!(claim(&other).await.is_empty(), "one in flight a user");
    assert_eq!(mark(&bench.store, 1).await, 1);
    assert_eq!((behind(&other).await, claim(&other).await), (1, vec![2]), "let go of");
}

async fn while_one_is_at_it_no_other_moves_the_mark(on: Backend) {
    let (bench, other) = two(on).await;
    assert_eq!(claim(&bench.store).await, [1]);
    assert_eq!(mark(&other, 1).await, 0);
    assert_eq!(claim(&bench.store).await, [1]);
    assert!(claim(&other).await.is_empty());
}

async fn the_work_of_a_dead_server_is_taken_over_after_its_lease(on: Backend) {
    let (bench, other) = two(on).await;
    assert_eq!(claim(&bench.store).await, [1]);
    bench.kept.pass(Duration::from_millis(4_999));
    assert_eq!((claim(&other).await, behind(&other).await), (vec![], 0));
    bench.kept.pass(Duration::from_millis(1));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while behind(&other).await == 0 {
        assert!(tokio::time::Instant::now() < deadline, "nobody takes it over");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(claim(&other).await, [1]);
    assert_eq!(mark(&bench.store, 1).await, 0, "it was not dead, only late");
    assert!(claim(&bench.store).await.is_empty());
    assert_eq!(claim(&other).await, [1], "and what it marked does not count");
}

on_every_shared_store!(
    what_one_server_publishes_the_other_leaves_alone,
    who_publishes_is_told_of_what_came_meanwhile,
    while_one_is_at_it_no_other_moves_the_mark,
    the_work_of_a_dead_server_is_taken_over_after_its_lease,
);
