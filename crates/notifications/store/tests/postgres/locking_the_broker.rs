use std::time::Duration;

use internal_notifications_store::{Store, StoreErrorKind};
use internal_notifications_testkit::Proxy;

use crate::fixture::Schema;

#[tokio::test]
async fn one_embedded_broker_at_a_time_serves_a_database() {
    let Some(schema) = Schema::new() else { return };
    let [first, second] = [schema.open(schema.options()).await, schema.open(schema.options()).await];
    first.lock_broker().await.unwrap();
    first.lock_broker().await.expect("a repeat should succeed");
    let error = second.lock_broker().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unusable);
    assert!(error.to_string().contains("embedded broker"), "{error}");
    first.close().await;
    second.lock_broker().await.unwrap();
}

#[tokio::test]
async fn a_lock_whose_connection_was_lost_is_taken_again() {
    let Some(schema) = Schema::new() else { return };
    let first = schema.open(schema.options()).await;
    first.lock_broker().await.unwrap();
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
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the connection should end");
    let again = async { while schema.number(holder).await == 0 {} };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("the lock should be taken again");
}

#[tokio::test]
async fn a_lock_whose_connection_no_longer_answers_is_taken_again() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    let first = schema.open_through(proxy.address(), schema.options()).await;
    first.lock_broker().await.unwrap();
    let holder = "SELECT coalesce(max(pid), 0)::bigint FROM pg_locks l, hashtextextended('internal-notifications broker ' || current_schema(), 0) AS key
                  WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = key";
    let lost = schema.number(holder).await;
    assert_ne!(lost, 0);
    proxy.slow(Duration::from_secs(3600));
    // Waits long enough for the store to give up the connection.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(30)).await;
    tokio::time::resume();
    proxy.mend();
    let again = async { while [0, lost].contains(&schema.number(holder).await) {} };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("the lock should be taken again");
}
