use std::time::Duration;

use internal_notifications_server::store::{Store, StoreErrorKind};

use crate::bench_store::Schema;

#[tokio::test]
async fn the_embedded_broker_of_one_server_alone_serves_a_database() {
    let Some(schema) = Schema::new() else { return };
    let first = schema.open(schema.options().with_broker_lock()).await;
    let refused = schema.try_open(schema.options().with_broker_lock()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unusable);
    assert!(refused.to_string().contains("embedded broker"), "{refused}");
    schema.open(schema.options()).await.close().await;
    first.close().await;
    schema.open(schema.options().with_broker_lock()).await;
}

#[tokio::test]
async fn a_lock_whose_connection_was_lost_is_taken_again() {
    let Some(schema) = Schema::new() else { return };
    let _first = schema.open(schema.options().with_broker_lock()).await;
    let holder = "SELECT count(*) FROM pg_locks l, hashtextextended('internal-notifications broker ' || current_schema(), 0) AS key
                  WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = key";
    assert_eq!(schema.number(holder).await, 1);
    schema
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks l, hashtextextended('internal-notifications broker ' || current_schema(), 0) AS key
             WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = key",
        )
        .await;
    let gone = async { while schema.number(holder).await == 1 {} };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the connection ends");
    let again = async { while schema.number(holder).await == 0 {} };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("the lock is taken again");
}
