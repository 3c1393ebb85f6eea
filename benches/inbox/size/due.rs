use serde_json::json;

use super::bystander::{beside, lateness, seconds_until};
use crate::goal::Goal;
use crate::setup::{Database, Served, series};

/// The recipients of one notification, as many as a push may have.
const RECIPIENTS: usize = 10_000;

/// Delivers many notifications that are all due at once, each to an inbox of its own, while
/// notifications to ordinary users fall due.
pub(crate) async fn run(database: &Database, full: bool) {
    let due = if full { 200_000 } else { 2_000 };
    let served = filled(database, due).await;
    let delivered = async || seconds_until(async || served.metric("due_delivered_total") >= due as f64).await;
    let (seconds, late) = beside(delivered(), async |number| lateness(&served, number).await).await;
    println!("{}: {due} due at once, each in its own inbox", database.name());
    Goal::AtLeast(10_000.0).print("deliveries", due as f64 / seconds, "/s");
    Goal::AtMost(1.0).print("another user's that falls due beside them", late.longest(), "s late");
    served.stop().await;
}

async fn filled(database: &Database, due: usize) -> Served {
    let served = database.serve().await;
    let announcements = due.div_ceil(RECIPIENTS);
    for number in 0..announcements {
        let announcement = json!({
            "id": format!("announcement-{number}"),
            "content": "The shop opens at nine",
            "send_after": "2100-01-01T09:00:00Z",
        });
        assert!(served.caller().push(&["user-0"], &announcement).await.unwrap());
    }
    let sql = format!(
        "DELETE FROM scheduled;
         INSERT INTO scheduled (notification, user_id, due_at)
         {} SELECT (SELECT min(key) FROM notifications) + n % {announcements}, 'user-' || n, {now} - 1000 FROM s",
        series(due),
        now = internal_notifications_models::Timestamp::now().as_millisecond()
    );
    served.refilled(&sql, &[]).await
}
