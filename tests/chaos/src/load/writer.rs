use crate::load::ledger::{Ledger, SCHEDULED};
use crate::load::retrying_client::RetryingClient;
use internal_notifications_pusher::models::Timestamp;
use rand::RngExt;
use rand::seq::IteratorRandom;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;

/// How far ahead notifications are scheduled.
const AHEAD: Duration = Duration::from_secs(2);
/// The recipients of a scheduled notification.
const RECIPIENTS: usize = 4;

/// A backend that pushes.
pub(crate) struct Writer {
    pub(crate) requests: RetryingClient,
    pub(crate) users: Arc<[String]>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Writer {
    /// Pushes about every `pause` until `stop` is set. The last push has been acknowledged when
    /// this returns.
    pub(crate) async fn run(mut self, name: String, pause: Duration, stop: watch::Receiver<bool>) {
        let mut number = 0_u64;
        while !*stop.borrow() {
            let users = self.random_users();
            // One in fifty is too large for a live event.
            let length = if number % 50 == 7 { 12_000 } else { 40 };
            self.push(format!("{name}-{number}"), users, &"x".repeat(length)).await;
            number += 1;
            let rng = self.requests.rng();
            sleep(pause.mul_f64(rng.random_range(0.2..1.8))).await;
        }
    }

    /// Schedules notifications until `stop` is set. The last has been acknowledged when this
    /// returns.
    pub(crate) async fn run_schedule(mut self, pause: Duration, stop: watch::Receiver<bool>) {
        let mut number = 0_u64;
        while !*stop.borrow() {
            let users = (0..self.users.len()).sample(self.requests.rng(), RECIPIENTS);
            let (due, send_after) = (Instant::now() + AHEAD, Timestamp::now() + AHEAD);
            let notification = json!({
                "id": format!("{SCHEDULED}{number}"),
                "content": "scheduled",
                "send_after": send_after.to_string(),
            });
            self.send(notification, users, Some(due)).await;
            number += 1;
            sleep(pause).await;
        }
    }

    /// Chooses mostly one user, sometimes a few, and rarely everyone.
    fn random_users(&mut self) -> Vec<usize> {
        let all = self.users.len();
        let rng = self.requests.rng();
        let count = match rng.random_range(0..100) {
            0..75 => 1,
            75..97 => rng.random_range(2..5),
            _ => all,
        };
        (0..all).sample(rng, count.min(all))
    }

    /// Pushes a notification until that is acknowledged, and records it.
    pub(crate) async fn push(&mut self, id: String, users: Vec<usize>, content: &str) {
        self.send(json!({"id": id, "heading": "chaos", "content": content}), users, None).await;
    }

    async fn send(&mut self, notification: Value, users: Vec<usize>, due: Option<Instant>) {
        let names: Vec<&String> = users.iter().filter_map(|user| self.users.get(*user)).collect();
        let id = notification.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let body = json!({"user_ids": names, "notification": notification});
        let (answer, exchange) = self.requests.send("POST", "/v1/notifications", &body).await;
        match answer.status {
            200 | 201 => self.ledger.record_push(id, users, exchange, due),
            _ => self.ledger.record_unexpected(format!("push {id}: {answer:?}")),
        }
    }
}
