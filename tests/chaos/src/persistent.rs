use crate::fault::millis;
use crate::sent::Sent;
use black_box_support::{Answer, Caller, Http};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long one attempt waits for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends each request until it is answered, to one node after another.
pub(crate) struct Persistent {
    callers: Vec<Caller>,
    next: usize,
    rng: StdRng,
}

impl Persistent {
    pub(crate) fn new(nodes: &[SocketAddr], bearer: &str, mut rng: StdRng) -> Self {
        let caller = |node: &SocketAddr| Caller::new(Http::to(*node).within(PATIENCE), bearer);
        let next = rng.random_range(0..nodes.len().max(1));
        Self { callers: nodes.iter().map(caller).collect(), next, rng }
    }

    pub(crate) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// Returns with the first answer that does not ask to come again.
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: &Value) -> (Answer, Sent) {
        let (first, mut attempts) = (Instant::now(), 0);
        loop {
            let (last, count) = (Instant::now(), self.callers.len().max(1));
            attempts += 1;
            if let Some(caller) = self.callers.get_mut(self.next % count)
                && let Ok(answer) = caller.send(method, path, body).await
                && answer.status < 500
                && !matches!(answer.status, 408 | 429)
            {
                return (answer, Sent { first, last, answered: Instant::now(), attempts });
            }
            self.next = self.next.wrapping_add(1);
            sleep(millis(&mut self.rng, 20..250)).await;
        }
    }
}
