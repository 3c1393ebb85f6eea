use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Occurrence;

/// What waits to be sent to one destination: bounded, filled without waiting. Departures wait a while for the return that undoes them.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
    grace: Duration,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Occurrence>,
    /// Departures, and until when they wait, the earliest first.
    departures: VecDeque<(Instant, Occurrence)>,
    dropped: u64,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize, grace: Duration) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity, grace }
    }

    /// Adds one; one too many is dropped.
    pub(super) fn put(&self, occurrence: Occurrence) {
        let mut state = self.lock();
        state.depart(Instant::now());
        let undone = state.departures.iter().position(|(_, departure)| occurrence.is_return_after(departure));
        if let Some(undone) = undone {
            state.departures.remove(undone);
            return;
        }
        if state.ready.len() + state.departures.len() >= self.capacity {
            state.dropped += 1;
            return;
        }
        match Instant::now().checked_add(self.grace).filter(|_| occurrence.is_departure()) {
            Some(until) => state.departures.push_back((until, occurrence)),
            None => state.ready.push_back(occurrence),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for something to send, and gives at most `limit` of it; none once the queue is closed.
    pub(super) async fn take(&self, limit: usize) -> Option<Vec<Occurrence>> {
        loop {
            let next_departure = {
                let mut state = self.lock();
                if state.is_closed {
                    return None;
                }
                state.depart(Instant::now());
                let count = state.ready.len().min(limit);
                if count > 0 {
                    return Some(state.ready.drain(..count).collect());
                }
                state.departures.front().map(|(until, _)| *until)
            };
            match next_departure {
                None => self.changed.notified().await,
                Some(until) => tokio::select! {
                    () = self.changed.notified() => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// How many were dropped since this was asked last.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Ends whoever takes from it.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits until the queue is closed.
    pub(super) async fn closed(&self) {
        while !self.lock().is_closed {
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn depart(&mut self, now: Instant) {
        while self.departures.front().is_some_and(|(until, _)| *until <= now) {
            let departed = self.departures.pop_front().map(|(_, departure)| departure);
            self.ready.extend(departed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occupied(channel: &str) -> Occurrence {
        Occurrence::occupied(&channel.parse().unwrap())
    }

    fn vacated(channel: &str) -> Occurrence {
        Occurrence::vacated(&channel.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_departure_waits_for_its_return_and_is_not_told_when_that_comes() {
        let queue = Queue::new(10, Duration::from_secs(3));
        let start = Instant::now();
        queue.put(vacated("a"));
        queue.put(vacated("b"));
        queue.put(occupied("a"));
        assert_eq!(queue.take(10).await, Some(vec![vacated("b")]));
        assert_eq!(start.elapsed().as_secs(), 3);
        queue.put(occupied("b"));
        assert_eq!(queue.take(10).await, Some(vec![occupied("b")]));
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_is_dropped_and_counted() {
        let queue = Queue::new(2, Duration::from_secs(3));
        for channel in ["a", "b", "c"] {
            queue.put(occupied(channel));
        }
        assert_eq!(queue.take(10).await, Some(vec![occupied("a"), occupied("b")]));
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_queue_ends_its_taker() {
        let queue = Queue::new(2, Duration::from_secs(3));
        queue.close();
        assert_eq!(queue.take(10).await, None);
        queue.closed().await;
    }
}
