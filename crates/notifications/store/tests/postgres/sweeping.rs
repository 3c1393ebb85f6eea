use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{Retention, Store, Sweep, Swept};

use crate::bench_store::{Bench, Schema, at, push};

async fn looked_at(store: &PostgresStore) -> u64 {
    let sweep = Sweep::new(Retention::default(), at(1)).with_limit(10);
    let Swept { inboxes, next, .. } = store.sweep(sweep).await.unwrap();
    assert_eq!(next, None);
    inboxes
}

#[tokio::test]
async fn of_several_servers_one_sweeps() {
    let Some(schema) = Schema::new() else { return };
    let (first, second) = (schema.open(schema.options()).await, schema.open(schema.options()).await);
    first.push(push("n", &["ada", "bob"])).await.unwrap();
    for _ in 0..2 {
        assert_eq!((looked_at(&first).await, looked_at(&second).await), (2, 0));
    }
    // One that is gone has its turn for a while yet.
    let over =
        "UPDATE settings SET value = split_part(value, ' ', 1) || ' 1700000000.5' WHERE name = 'sweeper'";
    schema.sql(over).await;
    assert_eq!((looked_at(&second).await, looked_at(&first).await), (2, 0));
    // One that is closed has not.
    second.close().await;
    assert_eq!(looked_at(&first).await, 2);
}

#[tokio::test]
async fn a_pass_forgets_all_old_idempotency_keys_however_many() {
    let Some(bench) = Bench::new().await else { return };
    let sql = "INSERT INTO idempotency (sender, key, request, answer, at)
               SELECT 'key:shop', n, '', '', n / 12000 * $1 FROM generate_series(1, 12000) n";
    sqlx::query(sql).bind(at(0).as_millisecond()).execute(&mut bench.schema.stranger().await).await.unwrap();
    looked_at(&bench.store).await;
    assert_eq!(
        bench.schema.number("SELECT count(*) FROM idempotency").await,
        1,
        "the one that is young enough"
    );
}
