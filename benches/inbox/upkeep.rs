use internal_notifications_models::Timestamp;
use internal_notifications_server::store::{Retention, Sweep};

use crate::measure::Times;
use crate::setup::Database;

/// Measures what an idle server does: queries for due work, and a sweep over an inbox of the
/// largest size that finds nothing to do. The reference is a bare query of one row by its key.
pub(crate) async fn run(database: &Database, full: bool) {
    let (rows, log, calls) = if full { (100_000, 10_000, 2_000) } else { (1_000, 100, 10) };
    let opened = database.open_filled(rows, log).await;
    let bare = opened.bare_reads(calls, 1).await;
    let idle = Times::of(calls, async |_| {
        assert!(opened.store.advance(Timestamp::now(), 1_000).await.unwrap().is_idle());
    })
    .await;
    let sweep = Times::of(calls.div_ceil(100), async |_| {
        let (keep, now) = (Retention::default(), Timestamp::now());
        let swept = opened.store.sweep(Sweep::new(keep, now)).await.unwrap();
        assert_eq!((swept.inboxes, swept.pruned, swept.trimmed, swept.drifts.len()), (1, 0, 0, 0));
    })
    .await;
    println!("{}: one inbox of {rows} notifications, all pending, {log} in its log", database.name());
    for (what, times) in [
        ("one row by its key, bare sqlx", &bare),
        ("what is due: nothing", &idle),
        ("a sweep that has nothing to do", &sweep),
    ] {
        let (p50, p99) = (times.percentile(50), times.percentile(99));
        println!("  {what:<32} p50 {p50:9.1} µs   p99 {p99:9.1} µs");
    }
    opened.close().await;
}
