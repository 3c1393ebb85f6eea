use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::sleep;

use crate::publisher::{Publisher, event};
use crate::subscriber::Subscriber;

const CHANNEL: &str = "private-neighbour";
/// How often the neighbour gets an event.
const PERIOD: Duration = Duration::from_millis(5);

/// The milliseconds from request to receipt of a neighbour's events.
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[at].as_secs_f64() * 1e3
    }
}

/// Does some work while a neighbour gets events on its own channel. It gets at least one.
pub(super) async fn beside<T>(server: SocketAddr, work: impl Future<Output = T>) -> (T, Latencies) {
    let mut subscriber = Subscriber::connect(server, CHANNEL).await;
    let mut publisher = Publisher::connect(server).await;
    let (request, is_done) = (event(CHANNEL), Cell::new(false));
    let work = async {
        let result = work.await;
        is_done.set(true);
        result
    };
    let events = async {
        let mut times = Vec::new();
        while times.is_empty() || !is_done.get() {
            times.push(subscriber.round_trip(&mut publisher, &request).await);
            sleep(PERIOD).await;
        }
        times.sort_unstable();
        Latencies(times)
    };
    tokio::join!(work, events)
}
