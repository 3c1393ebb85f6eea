use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{PublishLimits, Store};

use crate::bench_store::{Schema, push, user};

const MOST: PublishLimits = PublishLimits::new(50, 10_000);

async fn claimed(store: &PostgresStore, names: &[&str]) -> Vec<(UserId, u64)> {
    let asked: Vec<_> = names.iter().map(|name| (user(name), 0)).collect();
    let work = store.claim_unpublished(&asked, MOST).await.unwrap();
    work.into_iter().map(|of| (of.user_id, of.changes.last().unwrap().stamp.seq)).collect()
}

#[tokio::test]
async fn an_inbox_is_with_one_server_until_it_is_marked() {
    let Some(schema) = Schema::new() else { return };
    let long = schema.options().with_lease(Duration::from_secs(600));
    let (first, second) = (schema.open(long.clone()).await, schema.open(long).await);
    first.push(push("n1", &["ada", "bob"])).await.unwrap();

    assert_eq!(claimed(&first, &["ada"]).await, [(user("ada"), 1)]);
    assert_eq!(second.unpublished_users(9).await.unwrap(), [user("bob")]);
    assert_eq!(claimed(&second, &["ada", "bob"]).await, [(user("bob"), 1)]);
    assert_eq!(claimed(&first, &["ada", "bob"]).await, [(user("ada"), 1)], "its own it is given again");

    // A mark by another moves nothing.
    assert_eq!(second.mark_published(&[(user("ada"), 1)]).await.unwrap(), []);
    assert_eq!(claimed(&first, &["ada"]).await, [(user("ada"), 1)]);

    // What came meanwhile is told by the mark.
    second.push(push("n2", &["ada"])).await.unwrap();
    assert_eq!(claimed(&second, &["ada"]).await, []);
    assert_eq!(first.mark_published(&[(user("ada"), 1)]).await.unwrap(), [user("ada")]);
    assert_eq!(claimed(&second, &["ada"]).await, [(user("ada"), 2)]);
    assert_eq!(second.mark_published(&[(user("ada"), 2), (user("bob"), 1)]).await.unwrap(), []);
    assert_eq!(first.unpublished_users(9).await.unwrap(), []);
}

#[tokio::test]
async fn what_a_dead_server_was_at_is_taken_over_once_the_lease_is_over() {
    let Some(schema) = Schema::new() else { return };
    let (first, second) = (schema.open(schema.options()).await, schema.open(schema.options()).await);
    first.push(push("n1", &["ada"])).await.unwrap();
    assert_eq!(claimed(&first, &["ada"]).await, [(user("ada"), 1)]);
    drop(first);
    assert_eq!(claimed(&second, &["ada"]).await, []);
    let taken_over = async { while claimed(&second, &["ada"]).await.is_empty() {} };
    tokio::time::timeout(Duration::from_secs(10), taken_over).await.expect("the lease ends");
}
