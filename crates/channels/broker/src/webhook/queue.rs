use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::delayed::DelayedEvents;
use super::{WebhookCounters, WebhookEvent};

/// The events that wait to be sent to one destination.
///
/// Bounded; pushing never waits. Departures are held back for the grace period, and a return in
/// that time cancels them.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    capacity: Size,
    grace: Duration,
    counters: Arc<WebhookCounters>,
}

/// A number of events and a number of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<WebhookEvent>,
    delayed: DelayedEvents,
    /// The size of all events that wait.
    bytes: usize,
    dropped: u64,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: Size, grace: Duration, counters: Arc<WebhookCounters>) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity, grace, counters }
    }

    /// Adds an event, or drops it if the queue is full.
    pub(super) fn push(&self, event: WebhookEvent) {
        let now = Instant::now();
        let mut state = self.lock();
        state.release_due(now);
        let subject = event.subject();
        let (left, came) = if event.is_departure() { (subject, None) } else { (None, subject) };
        if let Some(cancelled) = came.and_then(|subject| state.delayed.cancel(&subject)) {
            state.bytes -= cancelled.bytes();
            return;
        }
        let bytes = state.bytes + event.bytes();
        if state.ready.len() + state.delayed.len() >= self.capacity.events || bytes > self.capacity.bytes {
            state.dropped += 1;
            self.counters.count_dropped(1);
            return;
        }
        state.bytes = bytes;
        match left.zip(now.checked_add(self.grace)) {
            Some((subject, due)) => state.delayed.push(subject, due, event),
            None => state.ready.push_back(event),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for events to send, and returns at most `limit` of them but at least one. Returns
    /// `None` once the queue is closed.
    pub(super) async fn take(&self, limit: Size) -> Option<Vec<WebhookEvent>> {
        loop {
            let next_due = {
                let mut state = self.lock();
                if state.is_closed {
                    return None;
                }
                state.release_due(Instant::now());
                let taken = state.take(limit);
                if !taken.is_empty() {
                    return Some(taken);
                }
                state.delayed.next_due()
            };
            match next_due {
                None => self.changed.notified().await,
                Some(due) => tokio::select! {
                    () = self.changed.notified() => {}
                    () = sleep_until(due) => {}
                },
            }
        }
    }

    /// Returns the number of events dropped since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Closes the queue, which ends its taker.
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
    /// Moves the departures that are due to the events to send.
    fn release_due(&mut self, now: Instant) {
        while let Some(departure) = self.delayed.pop_due(now) {
            self.ready.push_back(departure);
        }
    }

    fn take(&mut self, limit: Size) -> Vec<WebhookEvent> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.ready.front().map(WebhookEvent::bytes) {
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
        Queue::new(Size { events, ..ALL }, Duration::from_secs(3), Arc::default())
    }

    fn occupied(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_occupied(&channel.parse().unwrap())
    }

    fn vacated(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_vacated(&channel.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_return_within_the_grace_period_cancels_the_departure() {
        let queue = queue(10);
        let start = Instant::now();
        queue.push(vacated("a"));
        queue.push(vacated("b"));
        queue.push(occupied("a"));
        assert_eq!(queue.take(ALL).await, Some(vec![vacated("b")]));
        assert_eq!(start.elapsed().as_secs(), 3);
        queue.push(occupied("b"));
        assert_eq!(queue.take(ALL).await, Some(vec![occupied("b")]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_return_after_the_grace_period_cancels_nothing_even_if_the_departure_is_not_sent_yet() {
        let queue = queue(10);
        queue.push(vacated("a"));
        advance(Duration::from_secs(3)).await;
        queue.push(occupied("a"));
        queue.push(occupied("b"));
        assert_eq!(queue.take(ALL).await, Some(vec![vacated("a"), occupied("a"), occupied("b")]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_departure_gets_a_grace_period_again() {
        let queue = queue(10);
        for event in [vacated("a"), vacated("b"), occupied("a"), vacated("a")] {
            queue.push(event);
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(queue.take(ALL).await, Some(vec![vacated("b")]));
        queue.push(occupied("a"));
        queue.push(occupied("c"));
        assert_eq!(queue.take(ALL).await, Some(vec![occupied("c")]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_and_the_queue_are_bounded_in_bytes() {
        let event = |size: usize| {
            let socket = SocketId::new("1.2").unwrap();
            WebhookEvent::client_event(
                &"private-a".parse().unwrap(),
                "client-e",
                &"a".repeat(size),
                &socket,
                None,
            )
        };
        let capacity = Size { bytes: 10_000, ..ALL };
        let queue = Queue::new(capacity, Duration::from_secs(3), Arc::default());
        for size in [2_000, 2_000, 4_000, 2_000, 20_000, 100] {
            queue.push(event(size));
        }
        queue.push(vacated("a"));
        let limit = Size { bytes: 5_000, ..ALL };
        assert_eq!(queue.take_dropped(), 2, "events that do not fit are dropped");
        assert_eq!(queue.take(limit).await, Some(vec![event(2_000), event(2_000)]));
        assert_eq!(
            queue.take(Size { bytes: 1, ..ALL }).await,
            Some(vec![event(4_000)]),
            "at least one event"
        );
        assert_eq!(queue.take(limit).await, Some(vec![event(100)]));
        queue.push(occupied("a"));
        assert_eq!(queue.lock().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn events_beyond_the_capacity_are_dropped_and_counted() {
        let queue = queue(2);
        for channel in ["a", "b", "c"] {
            queue.push(occupied(channel));
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
