use crate::load::ledger::{Action, Ledger, is_untouched};
use crate::load::retrying_client::RetryingClient;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// The mean time between two writes of one user.
const PAUSE: Duration = Duration::from_millis(1500);

/// A user who opens, unopens and removes notifications, one write at a time.
pub(crate) struct User {
    pub(crate) number: usize,
    pub(crate) requests: RetryingClient,
    pub(crate) ledger: Arc<Ledger>,
}

impl User {
    /// Writes until `stop` is set. The last write has been answered when this returns.
    pub(crate) async fn run(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let action = self.ledger.with_ids_of(self.number, |ids| random_action(self.requests.rng(), ids));
            if let Some(action) = action {
                self.write(action).await;
            }
            let rng = self.requests.rng();
            sleep(PAUSE.mul_f64(rng.random_range(0.2..1.8))).await;
        }
    }

    async fn write(&mut self, action: Action) {
        let op = format!("{:032x}", self.requests.rng().random::<u128>());
        let (method, path, body) = match &action {
            Action::Opened(ids) => ("POST", "/v1/inbox/opened".to_owned(), json!({"ids": ids, "op": op})),
            Action::Unopened(ids) => ("POST", "/v1/inbox/unopened".to_owned(), json!({"ids": ids, "op": op})),
            Action::AllOpened => ("POST", "/v1/inbox/opened".to_owned(), json!({"all": true, "op": op})),
            Action::Removed(id) => ("DELETE", format!("/v1/inbox/notifications/{id}?op={op}"), Value::Null),
        };
        let (answer, exchange) = self.requests.send(method, &path, &body).await;
        match (answer.status, &action) {
            // A 404 means that it was removed before, or that a restore undid the push.
            (200, _) | (404, Action::Removed(_)) => self.ledger.record_write(self.number, action, exchange),
            _ => self.ledger.record_unexpected(format!("{action:?} of user {}: {answer:?}", self.number)),
        }
    }
}

/// Chooses what to do next, or nothing as long as the inbox is empty.
fn random_action(rng: &mut StdRng, ids: &[String]) -> Option<Action> {
    // Mostly the newest notifications, as people do.
    let newest = ids.get(ids.len().saturating_sub(50)..).filter(|_| rng.random_bool(0.8)).unwrap_or(ids);
    let count = rng.random_range(1..6);
    let some: Vec<String> = newest.iter().filter(|id| !is_untouched(id)).cloned().sample(rng, count);
    let one = some.first()?.clone();
    Some(match rng.random_range(0..100) {
        0..45 => Action::Opened(some),
        45..65 => Action::Unopened(some),
        65..90 => Action::Removed(one),
        _ => Action::AllOpened,
    })
}
