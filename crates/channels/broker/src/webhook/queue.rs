use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Occurrence;
use super::departures::Departures;

/// What waits to be sent to one destination: bounded, filled without waiting. Departures wait a while for the return that undoes them.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    /// The most that may wait.
    capacity: Size,
    grace: Duration,
}

/// How many events, and how many bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Occurrence>,
    departures: Departures,
    /// Of all that waits.
    bytes: usize,
    dropped: u64,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: Size, grace: Duration) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity, grace }
    }

    /// Adds one; one too many is dropped.
    pub(super) fn put(&self, occurrence: Occurrence) {
        let now = Instant::now();
        let mut state = self.lock();
        state.depart(now);
        let who = occurrence.who();
        let (departs, comes) = if occurrence.is_departure() { (who, None) } else { (None, who) };
        if let Some(undone) = comes.and_then(|who| state.departures.undo(&who)) {
            state.bytes -= undone.bytes();
            return;
        }
        let bytes = state.bytes + occurrence.bytes();
        if state.ready.len() + state.departures.len() >= self.capacity.events || bytes > self.capacity.bytes {
            state.dropped += 1;
            return;
        }
        state.bytes = bytes;
        match departs.zip(now.checked_add(self.grace)) {
            Some((who, until)) => state.departures.add(who, until, occurrence),
            None => state.ready.push_back(occurrence),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for something to send, and gives at most `limit` of it, but always one; none once the queue is closed.
    pub(super) async fn take(&self, limit: Size) -> Option<Vec<Occurrence>> {
        loop {
            let next_departure = {
                let mut state = self.lock();
                if state.is_closed {
                    return None;
                }
                state.depart(Instant::now());
                let taken = state.take(limit);
                if !taken.is_empty() {
                    return Some(taken);
                }
                state.departures.next()
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
        while let Some(departed) = self.departures.take(now) {
            self.ready.push_back(departed);
        }
    }

    fn take(&mut self, limit: Size) -> Vec<Occurrence> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.ready.front().map(Occurrence::bytes) {
            if taken.len() >= limit.events || (bytes + next > limit.bytes && !taken.is_empty()) {
                break;
            }
            bytes += next;
            taken.extend(self.ready.pop_front());
        }
        self.bytes -= bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use pusher_protocol::SocketId;
    use tokio::time::advance;

    use super::*;

    const ALL: Size = Size { events: 10, bytes: usize::MAX };

    fn queue(events: usize) -> Queue {
        Queue::new(Size { events, ..ALL }, Duration::from_secs(3))
    }

    fn occupied(channel: &str) -> Occurrence {
        Occurrence::occupied(&channel.parse().unwrap())
    }

    fn vacated(channel: &str) -> Occurrence {
        Occurrence::vacated(&channel.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_departure_waits_for_its_return_and_is_not_told_when_that_comes() {
        let queue = queue(10);
        let start = Instant::now();
        queue.put(vacated("a"));
        queue.put(vacated("b"));
        queue.put(occupied("a"));
        assert_eq!(queue.take(ALL).await, Some(vec![vacated("b")]));
        assert_eq!(start.elapsed().as_secs(), 3);
        queue.put(occupied("b"));
        assert_eq!(queue.take(ALL).await, Some(vec![occupied("b")]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_return_after_the_grace_undoes_nothing_though_nobody_took_the_departure_yet() {
        let queue = queue(10);
        queue.put(vacated("a"));
        advance(Duration::from_secs(3)).await;
        queue.put(occupied("a"));
        queue.put(occupied("b"));
        assert_eq!(queue.take(ALL).await, Some(vec![vacated("a"), occupied("a"), occupied("b")]));
    }

    #[tokio::test(start_paused = true)]
    async fn who_departs_again_waits_again() {
        let queue = queue(10);
        for occurrence in [vacated("a"), vacated("b"), occupied("a"), vacated("a")] {
            queue.put(occurrence);
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(queue.take(ALL).await, Some(vec![vacated("b")]));
        queue.put(occupied("a"));
        queue.put(occupied("c"));
        assert_eq!(queue.take(ALL).await, Some(vec![occupied("c")]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_and_the_queue_are_bounded_in_bytes() {
        let event = |size: usize| {
            let socket = SocketId::new("1.2").unwrap();
            Occurrence::client_event(
                &"private-a".parse().unwrap(),
                "client-e",
                &"a".repeat(size),
                &socket,
                None,
            )
        };
        let capacity = Size { bytes: 10_000, ..ALL };
        let queue = Queue::new(capacity, Duration::from_secs(3));
        for size in [2_000, 2_000, 4_000, 2_000, 20_000, 100] {
            queue.put(event(size));
        }
        queue.put(vacated("a"));
        let limit = Size { bytes: 5_000, ..ALL };
        assert_eq!(queue.take_dropped(), 2, "as much as there is room for");
        assert_eq!(queue.take(limit).await, Some(vec![event(2_000), event(2_000)]));
        assert_eq!(queue.take(Size { bytes: 1, ..ALL }).await, Some(vec![event(4_000)]), "always one");
        assert_eq!(queue.take(limit).await, Some(vec![event(100)]));
        queue.put(occupied("a"));
        assert_eq!(queue.lock().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_is_dropped_and_counted() {
        let queue = queue(2);
        for channel in ["a", "b", "c"] {
            queue.put(occupied(channel));
        }
        assert_eq!(queue.take(ALL).await, Some(vec![occupied("a"), occupied("b")]));
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_queue_ends_its_taker() {
        let queue = queue(2);
        queue.close();
        assert_eq!(queue.take(ALL).await, None);
        queue.closed().await;
    }
}
