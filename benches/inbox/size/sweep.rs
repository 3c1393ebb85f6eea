use internal_notifications_models::Timestamp;

use super::bystander::{beside, push, seconds_until};
use crate::goal::{Goal, print};
use crate::setup::{Database, Served, series};

const INTERVAL: &str = "INTERNAL_NOTIFICATIONS_SWEEP_SECONDS";
const CAP: &str = "INTERNAL_NOTIFICATIONS_RETENTION_COUNT";
/// Ordinary inboxes, and the notifications in each.
const ORDINARY: usize = 1_000;
const NOTIFICATIONS: usize = 20;
/// How many ordinary inboxes have a wrong count, which shows how far a pass has come.
const WRONG: usize = 50;

/// By how many notifications a large inbox exceeds its cap.
const EXCESS: usize = 100;

/// Sweeps inboxes above their cap beside ordinary ones, while a backend pushes to ordinary users.
pub(crate) async fn run(database: &Database, full: bool) {
    let (large, cap) = if full { (40, 100_000) } else { (3, 300) };
    let served = filled(database, large, cap).await;
    let pass = seconds_until(async || {
        served.metric("count_drift_repaired_total") >= WRONG as f64
            && served.metric("pruned_total") >= (large * EXCESS) as f64
    });
    let mut backend = served.caller();
    let (pass, times) = beside(pass, async |number| push(&mut backend, number).await).await;
    println!(
        "{}: {large} inboxes with {EXCESS} above their cap of {cap}, beside {ORDINARY} of {NOTIFICATIONS}",
        database.name()
    );
    Goal::AtMost(60.0).print("a pass, from its start a second after the server's", pass - 1.0, "s");
    print("pushes beside it, p50", times.percentile(50) / 1e3, "ms");
    print("pushes beside it, p99", times.percentile(99) / 1e3, "ms");
    Goal::AtMost(1_000.0).print("pushes beside it, the slowest", times.longest() * 1e3, "ms");
    served.stop().await;
}

async fn filled(database: &Database, large: usize, cap: usize) -> Served {
    let served = database.serve().await;
    let (blob, at, held) = (served.blob(), Timestamp::now().as_millisecond(), cap + EXCESS);
    let (notifications, inboxes, ordinary) = (series(held), series(large), series(ORDINARY));
    let sql = format!(
        "INSERT INTO notifications (id, sender, digest, body, created_at)
         {notifications} SELECT 'n-' || n, 'key:bench', CAST('0' AS {blob}), '{{\"content\":\"A parcel has come\"}}', {at} FROM s;
         INSERT INTO inboxes (user_id, seq, tag, pending, floor)
         {inboxes} SELECT 'inbox-' || n, {held}, {held}, {held}, {held} - {cap} / 10 FROM s;
         INSERT INTO inboxes (user_id, seq, tag, pending, floor)
         {ordinary} SELECT 'user-' || n, {NOTIFICATIONS}, 1, {NOTIFICATIONS} + CASE WHEN n % ({ORDINARY} / {WRONG}) = 0 THEN 1 ELSE 0 END, 0 FROM s;
         INSERT INTO deliveries (inbox, added, notification, created_at)
         SELECT i.key, n.key, n.key, {at} FROM inboxes i CROSS JOIN notifications n WHERE n.key <= i.seq ORDER BY n.key, i.key;
         INSERT INTO changes (inbox, seq, tag, prev, pending, at)
         SELECT d.inbox, d.added, d.added, d.added - 1, d.added, {at} FROM deliveries d JOIN inboxes i ON i.key = d.inbox
         WHERE d.added > i.floor"
    );
    let cap = cap.to_string();
    served.refilled(&sql, &[(INTERVAL, "1"), (CAP, &cap)]).await
}
