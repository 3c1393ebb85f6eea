use std::time::Duration;

use tokio::time::Instant;

/// When each part of a shutdown has to be finished, so that all of it fits into one deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The clients of an embedded broker have to be disconnected soon, whatever else takes long.
    pub(super) clients: Instant,
    /// Requests, and the tasks that make changes.
    pub(super) requests: Instant,
    /// Publishing what these changed.
    pub(super) publishing: Instant,
    /// Closing the store.
    pub(super) end: Instant,
}

/// How long clients wait for what is already stored to be published.
const CLIENTS: Duration = Duration::from_secs(1);
/// Instants that are further away might not be representable.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Schedule {
    pub(super) fn starting_now(limit: Duration) -> Self {
        let (now, tenth) = (Instant::now(), limit.min(LONGEST) / 10);
        Self {
            clients: now + CLIENTS.min(tenth * 2),
            requests: now + tenth * 8,
            publishing: now + tenth * 9,
            end: now + tenth * 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_parts_fit_into_the_deadline() {
        let now = Instant::now();
        let after = |limit: Duration| {
            let Schedule { clients, requests, publishing, end } = Schedule::starting_now(limit);
            [clients, requests, publishing, end].map(|at| (at - now).as_millis())
        };
        assert_eq!(after(Duration::from_secs(10)), [1000, 8000, 9000, 10_000]);
        assert_eq!(after(Duration::from_secs(1)), [200, 800, 900, 1000]);
        assert_eq!(after(Duration::ZERO), [0; 4]);
        assert_eq!(after(Duration::MAX)[3], LONGEST.as_millis());
    }
}
