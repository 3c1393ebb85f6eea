use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::filter::Filter;
use super::outbox::Outbox;
use super::size::Size;
use super::{WebhookCounters, WebhookEvent};

/// The events that wait to be sent to one destination, or to be sent again. Pushing never waits.
///
/// The capacity bounds client events, cache misses and subscription counts. Arrivals and departures
/// are never dropped here, since nothing would repair that; the [`Outbox`] bounds them.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    capacity: Size,
    filter: Filter,
    counters: Arc<WebhookCounters>,
}

#[derive(Debug, Default)]
struct State {
    outbox: Outbox,
    /// The events that count towards the capacity, including those that are being sent.
    counted: usize,
    /// The size of these events.
    bytes: usize,
    dropped: u64,
}

impl Queue {
    pub(super) fn new(capacity: Size, filter: Filter, counters: Arc<WebhookCounters>) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity, filter, counters }
    }

    /// Adds an event if the destination wants it. Drops it if the queue is full.
    pub(super) fn push(&self, event: WebhookEvent) {
        if !self.filter.is_relevant(&event) {
            return;
        }
        let mut state = self.lock();
        if is_counted(&event) {
            if state.outbox.replace_count(&event) {
                return;
            }
            let bytes = state.bytes.saturating_add(event.bytes());
            if state.counted >= self.capacity.events || bytes > self.capacity.bytes {
                state.dropped += 1;
                self.counters.dropped.add(1);
                return;
            }
            state.counted += 1;
            state.bytes = bytes;
        }
        state.outbox.push(event);
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for events to send, and returns at most `limit` of them but at least one.
    ///
    /// The caller has to [settle](Self::settle) them or [put them back](Self::put_back). Nothing is
    /// lost if the future is dropped.
    pub(super) async fn take(&self, limit: Size) -> Vec<WebhookEvent> {
        loop {
            let taken = self.lock().outbox.take(limit, &self.filter);
            if !taken.is_empty() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    /// Forgets events that were sent or given up.
    pub(super) fn settle(&self, events: &[WebhookEvent]) {
        let mut state = self.lock();
        for event in events.iter().filter(|event| is_counted(event)) {
            state.counted = state.counted.saturating_sub(1);
            state.bytes = state.bytes.saturating_sub(event.bytes());
        }
        state.outbox.settle(events);
        drop(state);
        self.changed.notify_one();
    }

    /// Adds events again, before all others, that were taken but not sent.
    pub(super) fn put_back(&self, events: Vec<WebhookEvent>) {
        self.lock().outbox.put_back(events);
        self.changed.notify_one();
    }

    /// Returns the number of events dropped since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the capacity bounds events of this kind.
fn is_counted(event: &WebhookEvent) -> bool {
    !event.is_arrival() && !event.is_departure()
}

#[cfg(test)]
mod tests {
    use pusher_protocol::SocketId;

    use super::*;
    use crate::webhook::WebhookKind;

    const ALL: Size = Size { events: 10, bytes: usize::MAX };

    fn queue(capacity: Size) -> Queue {
        Queue::new(capacity, Filter::default(), Arc::default())
    }

    fn occupied(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_occupied(&channel.parse().unwrap())
    }

    fn vacated(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_vacated(&channel.parse().unwrap())
    }

    fn client_event(size: usize) -> WebhookEvent {
        let socket = SocketId::new("1.2").unwrap();
        let channel = "private-a".parse().unwrap();
        WebhookEvent::client_event(&channel, "client-e", &"a".repeat(size), &socket, None)
    }

    #[tokio::test]
    async fn a_batch_and_the_queue_are_bounded_in_bytes() {
        let queue = queue(Size { bytes: 10_000, ..ALL });
        for size in [2_000, 2_000, 4_000, 2_000, 20_000, 100] {
            queue.push(client_event(size));
        }
        let limit = Size { bytes: 5_000, ..ALL };
        assert_eq!(queue.take_dropped(), 2, "events that do not fit are dropped");
        assert_eq!(queue.take(limit).await, [client_event(2_000), client_event(2_000)]);
        queue.push(client_event(2_000));
        assert_eq!(queue.take_dropped(), 1, "events that are being sent count too");
        queue.settle(&[client_event(2_000), client_event(2_000)]);
        let taken = queue.take(Size { bytes: 1, ..ALL }).await;
        assert_eq!(taken, [client_event(4_000)], "at least one event");
        queue.put_back(taken);
        let taken = queue.take(limit).await;
        assert_eq!(taken, [client_event(4_000), client_event(100)]);
        queue.settle(&taken);
        let state = queue.lock();
        assert_eq!((state.counted, state.bytes), (0, 0));
    }

    #[tokio::test]
    async fn events_beyond_the_capacity_are_dropped_and_counted_but_no_arrival_or_departure() {
        let queue = queue(Size { events: 2, ..ALL });
        (0..3).for_each(|n| queue.push(client_event(n)));
        queue.push(vacated("a"));
        queue.push(occupied("b"));
        assert_eq!(queue.take(ALL).await, [client_event(0), client_event(1), vacated("a"), occupied("b")]);
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (1, 0));
        assert_eq!(queue.counters.dropped.get(), 1);
    }

    #[tokio::test]
    async fn only_wanted_events_are_taken() {
        let mut filter = Filter::default();
        filter.set_kinds([WebhookKind::ChannelVacated]);
        filter.set_channel_prefix("a".to_owned());
        let queue = Queue::new(ALL, filter, Arc::default());
        for event in [occupied("a1"), vacated("a2"), vacated("b"), client_event(1)] {
            queue.push(event);
        }
        assert_eq!(queue.take(ALL).await, [vacated("a2")]);
        assert_eq!(queue.lock().counted, 0);
    }
}
