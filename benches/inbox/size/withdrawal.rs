use std::time::Duration;

use internal_notifications_models::Timestamp;
use serde_json::json;

use super::bystander::{beside, lateness, seconds_until};
use crate::goal::{Goal, print};
use crate::measure::seconds;
use crate::setup::{Database, Served, series};

const ID: &str = "announcement";
const LATE: &str = "another user's that falls due beside it";

/// Cancels a notification that is scheduled for many users, while notifications to ordinary users
/// fall due.
pub(crate) async fn cancel(database: &Database, scheduled: usize) {
    let served = filled(database, scheduled, "").await;
    let cancelled = async {
        let mut answer = None;
        let mut backend = served.caller();
        let answered = seconds(async {
            answer = Some(backend.delete(&format!("/v1/notifications/{ID}")).await);
        })
        .await;
        (answer.unwrap(), answered, seconds_until(async || is_gone(&served).await).await)
    };
    let ((answer, answered, gone), late) =
        beside(cancelled, async |number| lateness(&served, number).await).await;
    println!("{}: one notification, scheduled for {scheduled} users, is retracted", database.name());
    let answered = if answer.status == 200 { answered } else { f64::INFINITY };
    Goal::AtMost(1.0).print("until the answer", answered, "s");
    Goal::AtMost(1.0).print(LATE, late.longest(), "s late");
    print("until no row is left", gone, "s");
    served.stop().await;
}

/// Lets a notification expire that is scheduled for many users.
pub(crate) async fn expire_scheduled(database: &Database, scheduled: usize) {
    let expire = format!("; UPDATE withdrawals SET due_at = {}", Timestamp::now().as_millisecond());
    let served = filled(database, scheduled, &expire).await;
    let gone = seconds_until(async || is_gone(&served).await);
    let (gone, late) = beside(gone, async |number| lateness(&served, number).await).await;
    println!("{}: one notification, scheduled for {scheduled} users, expires", database.name());
    Goal::AtMost(1.0).print(LATE, late.longest(), "s late");
    print("until no row is left", gone, "s");
    served.stop().await;
}

/// Lets a notification expire that is in many inboxes.
pub(crate) async fn expire_delivered(database: &Database, inboxes: usize) {
    let served = database.serve().await;
    let mut backend = served.caller();
    let notification = json!({
        "id": ID,
        "content": "The shop opens at nine",
        "expires_at": (Timestamp::now() + Duration::from_secs(24 * 3600)).to_string(),
    });
    let users: Vec<String> = (0..inboxes).map(|number| format!("user-{number}")).collect();
    for users in users.chunks(10_000) {
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        assert!(backend.push(&users, &notification).await.unwrap());
    }
    served.execute(&format!("UPDATE withdrawals SET due_at = {}", Timestamp::now().as_millisecond())).await;
    let withdrawn = seconds_until(async || served.metric("withdrawn_total") >= inboxes as f64);
    let (seconds, late) = beside(withdrawn, async |number| lateness(&served, number).await).await;
    println!("{}: one notification, in {inboxes} inboxes, expires", database.name());
    Goal::AtMost(1.0).print(LATE, late.longest(), "s late");
    print("removed from inboxes", inboxes as f64 / seconds, "/s");
    served.stop().await;
}

/// Starts a server with a notification that is scheduled for many users, far ahead, and that
/// expires later.
async fn filled(database: &Database, scheduled: usize, more: &str) -> Served {
    let served = database.serve().await;
    let notification = json!({
        "id": ID,
        "content": "The shop opens at nine",
        "send_after": "2100-01-01T09:00:00Z",
        "expires_at": "2100-01-02T00:00:00Z",
    });
    assert!(served.caller().push(&["user-0"], &notification).await.unwrap());
    let sql = format!(
        "INSERT INTO scheduled (notification, user_id, due_at)
         {} SELECT due.notification, 'user-' || n, due.due_at FROM s CROSS JOIN (SELECT notification, due_at FROM scheduled) due{more}",
        series(scheduled)
    );
    served.refilled(&sql, &[]).await
}

/// Returns whether nobody is scheduled to get the notification any more.
async fn is_gone(served: &Served) -> bool {
    let sql = format!(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM scheduled WHERE notification = (SELECT key FROM notifications WHERE id = '{ID}'))
                          THEN 1 ELSE 0 END AS bigint)"
    );
    served.number(&sql).await == 0
}
