use internal_notifications_server::store::postgres::PostgresStore;
use internal_notifications_server::store::{Retention, Store, Sweep, Swept};

use crate::bench_store::{Schema, at, push};

async fn looked_at(store: &PostgresStore) -> u64 {
    let sweep = Sweep { after: None, inboxes: 10, keep: Retention::default(), now: at(1) };
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
