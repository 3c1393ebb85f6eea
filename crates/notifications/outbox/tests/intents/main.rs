//! Intents in SQLite, and in the PostgreSQL database that `TEST_POSTGRES_URL` names.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may")]

mod postgres;
mod sqlite;

use internal_notifications_outbox::{InternalNotification, NotificationId, Outbox, OutboxConnection, UserId};

/// A row of the table: id, sender, recipients, body.
type Row = (String, String, String, String);

const ROWS: &str =
    "SELECT id, sender, user_ids, body FROM internal_notifications_intents WHERE failed IS NULL ORDER BY key";

fn users() -> [UserId; 2] {
    ["bob", "ada"].map(|user| user.parse().unwrap())
}

async fn push(connection: &mut impl OutboxConnection, notification: InternalNotification) -> NotificationId {
    let outbox = Outbox::new("orders").unwrap();
    outbox.push(connection, &users(), &notification).await.unwrap()
}

/// Checks a row that [`push`] inserted.
fn assert_written(row: &Row, id: &NotificationId, content: &str) {
    let (row_id, sender, user_ids, body) = row;
    assert_eq!((row_id.as_str(), sender.as_str()), (id.as_str(), "outbox:orders"));
    assert_eq!(serde_json::from_str::<Vec<String>>(user_ids).unwrap(), ["ada", "bob"]);
    let body: InternalNotification = serde_json::from_str(body).unwrap();
    assert_eq!(body, InternalNotification::new(content));
}

/// Checks that ids are distinct UUIDs of version 7 and the current time.
fn assert_generated(mut ids: Vec<NotificationId>) {
    let count = ids.len();
    for id in &ids {
        let digits: String = id.as_str().split('-').collect();
        assert_eq!(id.as_str().split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        let bits = u128::from_str_radix(&digits, 16).unwrap();
        assert_eq!((bits >> 76 & 0xf, bits >> 62 & 0b11), (7, 0b10), "{id}");
        assert_eq!(id.as_str(), id.as_str().to_lowercase());
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        assert!((bits >> 80).abs_diff(now) < 600_000, "{id} has the current time");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}
