use crate::load::ledger::Ledger;
use crate::load::retrying_client::RetryingClient;
use rand::RngExt;
use rand::seq::IteratorRandom;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

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
        let names: Vec<&String> = users.iter().filter_map(|user| self.users.get(*user)).collect();
        let body =
            json!({"user_ids": names, "notification": {"id": id, "heading": "chaos", "content": content}});
        let (answer, exchange) = self.requests.send("POST", "/v1/notifications", &body).await;
        match answer.status {
            200 | 201 => self.ledger.record_push(id, users, exchange),
            _ => self.ledger.record_unexpected(format!("push {id}: {answer:?}")),
        }
    }
}
