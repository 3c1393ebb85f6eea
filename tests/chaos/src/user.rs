use crate::ledger::{AWAITED, Ledger, What};
use crate::persistent::Persistent;
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

/// Somebody who opens, removes and marks what was pushed to them; one write at a time.
pub(crate) struct User {
    pub(crate) number: usize,
    pub(crate) requests: Persistent,
    pub(crate) ledger: Arc<Ledger>,
}

impl User {
    /// Writes until told to stop; the last write is answered when this returns.
    pub(crate) async fn run(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let what = self.ledger.of_user(self.number, |ids| drawn(self.requests.rng(), ids));
            if let Some(what) = what {
                self.write(what).await;
            }
            let rng = self.requests.rng();
            sleep(PAUSE.mul_f64(rng.random_range(0.2..1.8))).await;
        }
    }

    async fn write(&mut self, what: What) {
        let op = format!("{:032x}", self.requests.rng().random::<u128>());
        let (method, path, body) = match &what {
            What::Opened(ids) => ("POST", "/v1/inbox/opened".to_owned(), json!({"ids": ids, "op": op})),
            What::Unopened(ids) => ("POST", "/v1/inbox/unopened".to_owned(), json!({"ids": ids, "op": op})),
            What::AllOpened => ("POST", "/v1/inbox/opened".to_owned(), json!({"all": true, "op": op})),
            What::Removed(id) => ("DELETE", format!("/v1/inbox/notifications/{id}?op={op}"), Value::Null),
        };
        let (answer, sent) = self.requests.send(method, &path, &body).await;
        match (answer.status, &what) {
            // Removed before, or taken back by a restore.
            (200, _) | (404, What::Removed(_)) => self.ledger.written(self.number, what, sent),
            _ => self.ledger.refused(format!("{what:?} of user {}: {answer:?}", self.number)),
        }
    }
}

/// What to do next; nothing before there is something.
fn drawn(rng: &mut StdRng, ids: &[String]) -> Option<What> {
    // Mostly of the newest, as people do.
    let newest = ids.get(ids.len().saturating_sub(50)..).filter(|_| rng.random_bool(0.8)).unwrap_or(ids);
    let count = rng.random_range(1..6);
    let some: Vec<String> = newest.iter().filter(|id| !id.starts_with(AWAITED)).cloned().sample(rng, count);
    let one = some.first()?.clone();
    Some(match rng.random_range(0..100) {
        0..45 => What::Opened(some),
        45..65 => What::Unopened(some),
        65..90 => What::Removed(one),
        _ => What::AllOpened,
    })
}
