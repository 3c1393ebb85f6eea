use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{Retention, Store, Sweep, Swept};

use crate::fixture::{Fixture, Schema, at, push};

async fn inspected_inboxes(store: &PostgresStore) -> u64 {
    let sweep = Sweep::new(Retention::default(), at(1)).with_limit(10);
    let Swept { inboxes, next, .. } = store.sweep(sweep).await.unwrap();
    assert_eq!(next, None);
    inboxes
}

#[tokio::test]
async fn only_one_of_several_servers_sweeps() {
    let Some(schema) = Schema::new() else { return };
    let (first, second) = (schema.open(schema.options()).await, schema.open(schema.options()).await);
    first.push(push("n", &["ada", "bob"])).await.unwrap();
    for _ in 0..2 {
        assert_eq!((inspected_inboxes(&first).await, inspected_inboxes(&second).await), (2, 0));
    }
    // A dropped store keeps its turn for a while.
    let end_turn =
        "UPDATE settings SET value = split_part(value, ' ', 1) || ' 1700000000.5' WHERE name = 'sweeper'";
    schema.sql(end_turn).await;
    assert_eq!((inspected_inboxes(&second).await, inspected_inboxes(&first).await), (2, 0));
    // A closed store ends its turn at once.
    second.close().await;
    assert_eq!(inspected_inboxes(&first).await, 2);
}

#[tokio::test]
async fn a_pass_forgets_every_old_idempotency_key() {
    let Some(fixture) = Fixture::new().await else { return };
    let sql = "INSERT INTO idempotency (sender, key, request, answer, at)
               SELECT 'key:shop', n, '', '', n / 12000 * $1 FROM generate_series(1, 12000) n";
    sqlx::query(sql).bind(at(0).as_millisecond()).execute(&mut fixture.schema.connect().await).await.unwrap();
    inspected_inboxes(&fixture.store).await;
    assert_eq!(
        fixture.schema.number("SELECT count(*) FROM idempotency").await,
        1,
        "only the recent key remains"
    );
}
