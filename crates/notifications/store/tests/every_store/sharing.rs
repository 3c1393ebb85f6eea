use std::sync::Arc;
use std::time::Duration;

use internal_notifications_store::{PublishLimits, Store};

use crate::backend::Backend;
use crate::fixture::{Fixture, push, user};

/// Opens two stores over the same inboxes, in which ada has one change.
async fn two_stores(on: Backend) -> (Fixture, Arc<dyn Store>) {
    let fixture = Fixture::new(on).await;
    let other = fixture.another().await;
    assert!(fixture.store.is_shared() && other.is_shared());
    fixture.push("a", &["ada"]).await;
    (fixture, other)
}

/// Claims ada's inbox, and returns the seqs of its unpublished changes.
async fn claim(store: &Arc<dyn Store>) -> Vec<u64> {
    let most = PublishLimits::new(100, 10_000);
    let claimed = store.claim_unpublished(&[(user("ada"), 0)], most).await.unwrap();
    claimed.iter().flat_map(|user| &user.changes).map(|change| change.stamp.seq).collect()
}

async fn mark(store: &Arc<dyn Store>, seq: u64) -> usize {
    store.mark_published(&[(user("ada"), seq)]).await.unwrap().len()
}

async fn behind(store: &Arc<dyn Store>) -> usize {
    store.unpublished_users(10).await.unwrap().len()
}

async fn an_inbox_leased_to_one_server_is_not_claimed_by_another(on: Backend) {
    let (fixture, other) = two_stores(on).await;
    assert_eq!((behind(&fixture.store).await, behind(&other).await), (1, 1));
    assert_eq!(claim(&fixture.store).await, [1]);
    assert_eq!((claim(&other).await, behind(&other).await), (vec![], 0));
    assert_eq!(claim(&fixture.store).await, [1], "a server may claim its own lease again");
    assert_eq!(mark(&fixture.store, 1).await, 0);
    other.push(push("b", &["ada"])).await.unwrap();
    assert_eq!(claim(&other).await, [2]);
}

async fn marking_published_reports_changes_that_arrived_meanwhile(on: Backend) {
    let (fixture, other) = two_stores(on).await;
    assert_eq!(claim(&fixture.store).await, [1]);
    other.push(push("b", &["ada"])).await.unwrap();
    assert!(claim(&other).await.is_empty(), "the inbox is still leased");
    assert_eq!(mark(&fixture.store, 1).await, 1);
    assert_eq!((behind(&other).await, claim(&other).await), (1, vec![2]), "marking ends the lease");
}

async fn only_the_server_with_the_lease_moves_the_mark(on: Backend) {
    let (fixture, other) = two_stores(on).await;
    assert_eq!(claim(&fixture.store).await, [1]);
    assert_eq!(mark(&other, 1).await, 0);
    assert_eq!(claim(&fixture.store).await, [1]);
    assert!(claim(&other).await.is_empty());
}

async fn inboxes_of_a_dead_server_are_taken_over_when_the_lease_ends(on: Backend) {
    let (fixture, other) = two_stores(on).await;
    assert_eq!(claim(&fixture.store).await, [1]);
    fixture.data.pass(Duration::from_millis(4_999));
    assert_eq!((claim(&other).await, behind(&other).await), (vec![], 0));
    fixture.data.pass(Duration::from_millis(1));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while behind(&other).await == 0 {
        assert!(tokio::time::Instant::now() < deadline, "the lease should have ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(claim(&other).await, [1]);
    assert_eq!(mark(&fixture.store, 1).await, 0, "a late mark reports nothing");
    assert!(claim(&fixture.store).await.is_empty());
    assert_eq!(claim(&other).await, [1], "a late mark has no effect");
}

on_every_shared_store!(
    an_inbox_leased_to_one_server_is_not_claimed_by_another,
    marking_published_reports_changes_that_arrived_meanwhile,
    only_the_server_with_the_lease_moves_the_mark,
    inboxes_of_a_dead_server_are_taken_over_when_the_lease_ends,
);
