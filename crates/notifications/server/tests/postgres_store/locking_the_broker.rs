use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use internal_notifications_server::store::{Store, StoreErrorKind};
use internal_notifications_testkit::server::Proxy;

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

/// What is logged on this thread, until it says something.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    async fn until(&self, words: &str) {
        let said = async {
            while !String::from_utf8_lossy(&self.0.lock().unwrap()).contains(words) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), said).await.expect(words);
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_lock_whose_connection_no_longer_answered_is_taken_again() {
    let Some(schema) = Schema::new() else { return };
    let (log, proxy) = (Log::default(), Proxy::before(schema.address().await).await.unwrap());
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let _first = schema.open_through(proxy.address(), schema.options().with_broker_lock()).await;
    proxy.slow(Duration::from_secs(3600));
    log.until("the lock of the embedded broker is lost").await;
    proxy.mend();
    log.until("the lock of the embedded broker is held again").await;
}
