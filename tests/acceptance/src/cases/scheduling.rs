use crate::support::server::Server;
use crate::support::tail::Tail;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn from_now(milliseconds: i64) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_millis(milliseconds)).unwrap()
}

/// Returns how long after the earliest possible time a notification was added.
fn delay(row: &Value, earliest: Timestamp) -> SignedDuration {
    let created: Timestamp = row["created_at"].as_str().unwrap().parse().unwrap();
    created.duration_since(earliest)
}

#[tokio::test(flavor = "multi_thread")]
async fn scheduled_notifications_survive_a_kill_arrive_within_a_second_and_can_be_cancelled() {
    let mut server = Server::start().await;
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    let mut shop = server.backend();
    let (missed, due) = (from_now(300), from_now(2_000));
    for (id, time) in [("due", due), ("missed", missed), ("cancelled", due)] {
        let notification = json!({"id": id, "content": "c", "send_after": time.to_string()});
        let body = json!({"user_ids": ["ada"], "notification": notification});
        let receipt = shop.post("/v1/notifications", &body).await.with(201);
        assert_eq!(receipt["scheduled"], 1, "{receipt}");
    }
    let cancelled = shop.delete("/v1/notifications/cancelled").await.with(200);
    assert_eq!(cancelled, json!({"id": "cancelled", "cancelled": 1, "removed": 0}));

    server.kill().await;
    // Let the notification `missed` fall due while no server runs.
    let rest = missed.duration_since(Timestamp::now()).max(SignedDuration::ZERO).unsigned_abs();
    tokio::time::sleep(rest).await;
    let restarting = Timestamp::now();
    server.restart().await;
    let restarted = Timestamp::now();

    tail.until("both arrived", |view| view.rows.len() == 2).await;
    let view = tail.view().rows.clone();
    let row = |id: &str| view.iter().find(|row| row["id"] == id).unwrap().clone();
    let overdue = delay(&row("missed"), restarted);
    assert!(delay(&row("missed"), missed) >= SignedDuration::ZERO && overdue < SECOND, "{overdue}");
    let on_time = delay(&row("due"), due.max(restarted));
    assert!(delay(&row("due"), due) >= SignedDuration::ZERO && on_time < SECOND, "{on_time}");
    assert!(delay(&row("missed"), restarting) >= SignedDuration::ZERO, "it was delivered before the kill");
    assert_eq!(view[0]["id"], "due", "the newest is not first");

    // The cancelled one would have arrived with `due`.
    let inbox = server.user("ada").get("/v1/inbox").await.with(200);
    assert_eq!((inbox["seq"].as_u64(), inbox["pending"].as_u64()), (Some(2), Some(2)), "{inbox}");
    tail.view().assert_no_flaws();

    let mut shop = server.backend();
    let retracted = shop.delete("/v1/notifications/due").await.with(200);
    assert_eq!((&retracted["cancelled"], &retracted["removed"]), (&json!(0), &json!(1)));
    tail.until("it is removed", |view| view.rows.len() == 1 && view.pending == 1).await;
}
