use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{PublishLimits, Store};

use crate::fixture::{Schema, push, user};

const MOST: PublishLimits = PublishLimits::new(50, 10_000);

async fn claimed(store: &PostgresStore, names: &[&str]) -> Vec<(UserId, u64)> {
    let users: Vec<_> = names.iter().map(|name| (user(name), 0)).collect();
    let claimed = store.claim_unpublished(&users, MOST).await.unwrap();
    claimed.into_iter().map(|user| (user.user_id, user.changes.last().unwrap().stamp.seq)).collect()
}

#[tokio::test]
async fn an_inbox_is_leased_to_one_server_until_it_is_marked_published() {
    let Some(schema) = Schema::new() else { return };
    let long = schema.options().with_lease(Duration::from_secs(600));
    let (first, second) = (schema.open(long.clone()).await, schema.open(long).await);
    first.push(push("n1", &["ada", "bob"])).await.unwrap();

    assert_eq!(claimed(&first, &["ada"]).await, [(user("ada"), 1)]);
    assert_eq!(second.unpublished_users(9).await.unwrap(), [user("bob")]);
    assert_eq!(claimed(&second, &["ada", "bob"]).await, [(user("bob"), 1)]);
    assert_eq!(
        claimed(&first, &["ada", "bob"]).await,
        [(user("ada"), 1)],
        "a server may claim its own lease again"
    );

    // A mark by another store has no effect.
    assert_eq!(second.mark_published(&[(user("ada"), 1)]).await.unwrap(), []);
    assert_eq!(claimed(&first, &["ada"]).await, [(user("ada"), 1)]);

    // Marking reports the changes that arrived meanwhile.
    second.push(push("n2", &["ada"])).await.unwrap();
    assert_eq!(claimed(&second, &["ada"]).await, []);
    assert_eq!(first.mark_published(&[(user("ada"), 1)]).await.unwrap(), [user("ada")]);
    assert_eq!(claimed(&second, &["ada"]).await, [(user("ada"), 2)]);
    assert_eq!(second.mark_published(&[(user("ada"), 2), (user("bob"), 1)]).await.unwrap(), []);
    assert_eq!(first.unpublished_users(9).await.unwrap(), []);
}

#[tokio::test]
async fn an_inbox_whose_changes_are_not_visible_is_not_leased() {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options()).await;
    store.push(push("n1", &["ada", "bob"])).await.unwrap();
    // As a statement sees a push that was committed after its snapshot.
    schema.sql("DELETE FROM changes WHERE inbox = (SELECT key FROM inboxes WHERE user_id = 'ada')").await;
    assert_eq!(claimed(&store, &["ada", "bob"]).await, [(user("bob"), 1)]);
    assert_eq!(schema.number("SELECT count(*) FROM publications WHERE owner IS NOT NULL").await, 1);
}

#[tokio::test]
async fn inboxes_of_a_dead_server_are_taken_over_when_the_lease_ends() {
    let Some(schema) = Schema::new() else { return };
    let (first, second) = (schema.open(schema.options()).await, schema.open(schema.options()).await);
    first.push(push("n1", &["ada"])).await.unwrap();
    assert_eq!(claimed(&first, &["ada"]).await, [(user("ada"), 1)]);
    drop(first);
    assert_eq!(claimed(&second, &["ada"]).await, []);
    let taken_over = async { while claimed(&second, &["ada"]).await.is_empty() {} };
    tokio::time::timeout(Duration::from_secs(10), taken_over).await.expect("the lease should end");
}
