use crate::faults::random_millis;
use crate::load::exchange::Exchange;
use black_box_support::{Answer, Caller, Http};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long one attempt waits for its answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client that sends each request to one node after another until it is answered.
pub(crate) struct RetryingClient {
    callers: Vec<Caller>,
    next: usize,
    rng: StdRng,
}

impl RetryingClient {
    pub(crate) fn new(nodes: &[SocketAddr], bearer: &str, mut rng: StdRng) -> Self {
        let caller = |node: &SocketAddr| Caller::new(Http::to(*node).within(TIMEOUT), bearer);
        let next = rng.random_range(0..nodes.len().max(1));
        Self { callers: nodes.iter().map(caller).collect(), next, rng }
    }

    pub(crate) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// Sends a request, and returns the first answer that does not call for a retry.
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: &Value) -> (Answer, Exchange) {
        let (first, mut attempts) = (Instant::now(), 0);
        loop {
            let (last, count) = (Instant::now(), self.callers.len().max(1));
            attempts += 1;
            if let Some(caller) = self.callers.get_mut(self.next % count)
                && let Ok(answer) = caller.send(method, path, body).await
                && answer.status < 500
                && !matches!(answer.status, 408 | 429)
            {
                return (answer, Exchange { first, last, answered: Instant::now(), attempts });
            }
            self.next = self.next.wrapping_add(1);
            sleep(random_millis(&mut self.rng, 20..250)).await;
        }
    }
}
