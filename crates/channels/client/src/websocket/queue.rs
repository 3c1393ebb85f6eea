//! The bounded queue between the actor and one subscriber. The sender never waits: if the queue is
//! full, it drops the event, counts it, and queues the count in its place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

/// An item of a queue.
pub(crate) trait Item {
    /// Returns the item that reports dropped events.
    fn lagged(count: u64) -> Self;
    /// Returns the count, if the item reports dropped events.
    fn lag(&mut self) -> Option<&mut u64>;
    /// Returns whether the item is sent with [`Sender::notice`].
    fn is_notice(&self) -> bool;
}

pub(crate) fn bounded<T: Item>(capacity: usize, dropped: Arc<Notify>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared { capacity, state: Mutex::new(State::new()) });
    (Sender(shared.clone()), Receiver { shared, dropped })
}

/// The actor's end of a queue.
#[derive(Debug)]
pub(crate) struct Sender<T: Item>(Arc<Shared<T>>);

/// The subscriber's end of a queue. It notifies the actor when dropped.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    dropped: Arc<Notify>,
}

#[derive(Debug)]
struct Shared<T> {
    capacity: usize,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// The number of events dropped after the last item.
    dropped: u64,
    waker: Option<Waker>,
    sender_gone: bool,
    receiver_gone: bool,
}

impl<T> Shared<T> {
    /// Ignores poisoning: no code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Item> Sender<T> {
    /// Sends an event. If the queue is full, the event is dropped and counted.
    pub(crate) fn event(&self, event: T) {
        self.change(|state, capacity| {
            if state.items.len() >= capacity {
                state.dropped += 1;
            } else {
                state.push_lag();
                state.items.push_back(event);
            }
        });
    }

    /// Counts an event that was dropped elsewhere.
    pub(crate) fn count_dropped(&self) {
        self.change(|state, _| state.dropped += 1);
    }

    /// Sends a notice, which is never dropped. In a full queue it replaces a notice at the end, so
    /// that a connection that comes and goes does not make the queue grow.
    pub(crate) fn notice(&self, notice: T) {
        self.change(|state, capacity| {
            if state.items.len() >= capacity && state.items.back().is_some_and(T::is_notice) {
                state.items.pop_back();
            }
            state.push_lag();
            state.items.push_back(notice);
        });
    }

    /// Returns whether the receiver was dropped.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().receiver_gone
    }

    fn change(&self, change: impl FnOnce(&mut State<T>, usize)) {
        let waker = {
            let mut state = self.0.lock();
            change(&mut state, self.0.capacity);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: Item> State<T> {
    fn new() -> Self {
        Self { items: VecDeque::new(), dropped: 0, waker: None, sender_gone: false, receiver_gone: false }
    }

    /// Queues the number of dropped events, if there are any.
    fn push_lag(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        match self.items.back_mut().and_then(T::lag) {
            _ if dropped == 0 => {}
            Some(count) => *count += dropped,
            None => self.items.push_back(T::lagged(dropped)),
        }
    }
}

impl<T: Item> Drop for Sender<T> {
    fn drop(&mut self) {
        self.change(|state, _| state.sender_gone = true);
    }
}

impl<T: Item> Receiver<T> {
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.shared.lock();
        if state.items.is_empty() {
            state.push_lag();
        }
        match state.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if state.sender_gone => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.lock().receiver_gone = true;
        self.dropped.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::websocket::{ChannelEvent, Event};

    fn event(name: &str) -> ChannelEvent {
        let channel = Arc::new("c".parse().unwrap());
        ChannelEvent::Event(Event::new(channel, name.into(), String::new(), None))
    }

    fn drain(receiver: &mut Receiver<ChannelEvent>) -> Vec<ChannelEvent> {
        let mut cx = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| match receiver.poll_recv(&mut cx) {
            Poll::Ready(item) => item,
            Poll::Pending => None,
        })
        .collect()
    }

    fn names(items: &[ChannelEvent]) -> Vec<String> {
        items
            .iter()
            .map(|item| match item {
                ChannelEvent::Event(event) => event.name().to_owned(),
                ChannelEvent::Lagged(count) => format!("lagged {count}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn events_that_did_not_fit_are_counted_in_their_place() {
        let (sender, mut receiver) = bounded(2, Arc::default());
        for name in ["a", "b", "c", "d"] {
            sender.event(event(name));
        }
        let mut cx = Context::from_waker(Waker::noop());
        assert!(receiver.poll_recv(&mut cx).is_ready());
        sender.event(event("e"));
        assert_eq!(names(&drain(&mut receiver)), ["b", "lagged 2", "e"]);
    }

    #[test]
    fn a_lag_is_reported_even_if_nothing_follows() {
        let (sender, mut receiver) = bounded(1, Arc::default());
        sender.event(event("a"));
        sender.event(event("b"));
        assert_eq!(names(&drain(&mut receiver)), ["a", "lagged 1"]);
        assert!(drain(&mut receiver).is_empty());
    }

    #[test]
    fn a_full_queue_accepts_notices_without_growing() {
        let (sender, mut receiver) = bounded(2, Arc::default());
        sender.event(event("a"));
        sender.event(event("b"));
        for _ in 0..1_000 {
            sender.notice(ChannelEvent::Interrupted);
            sender.notice(ChannelEvent::Subscribed);
            sender.event(event("c"));
        }
        let items = drain(&mut receiver);
        assert_eq!(names(&items), ["a", "b", "lagged 999", "Subscribed", "lagged 1"]);
    }

    #[test]
    fn the_queue_ends_after_its_items_when_the_sender_is_gone() {
        let (sender, mut receiver) = bounded(2, Arc::default());
        sender.event(event("a"));
        drop(sender);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(receiver.poll_recv(&mut cx), Poll::Ready(Some(_))));
        assert!(matches!(receiver.poll_recv(&mut cx), Poll::Ready(None)));
    }
}
