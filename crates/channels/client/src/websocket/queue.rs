//! The bounded queue of one subscriber. The sender never waits: an event that finds it full is dropped and counted, and
//! the count is told in its place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

/// What goes through a queue.
pub(crate) trait Item {
    /// Says that so many were dropped.
    fn lagged(count: u64) -> Self;
    /// The count, of an item that says so.
    fn lag(&mut self) -> Option<&mut u64>;
    /// Whether it goes in with [`Sender::notice`].
    fn is_notice(&self) -> bool;
}

pub(crate) fn bounded<T: Item>(capacity: usize, dropped: Arc<Notify>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared { capacity, state: Mutex::new(State::new()) });
    (Sender(shared.clone()), Receiver { shared, dropped })
}

/// The actor's end.
#[derive(Debug)]
pub(crate) struct Sender<T: Item>(Arc<Shared<T>>);

/// The subscriber's end; tells the actor when it is dropped.
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
    /// Events dropped after the last item.
    missed: u64,
    waker: Option<Waker>,
    sender_gone: bool,
    receiver_gone: bool,
}

impl<T> Shared<T> {
    /// A panic while the lock was held cannot leave the state half changed: nothing in here panics.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Item> Sender<T> {
    /// Something that is dropped when the queue is full.
    pub(crate) fn event(&self, event: T) {
        self.change(|state, capacity| {
            if state.items.len() >= capacity {
                state.missed += 1;
            } else {
                state.tell_missed();
                state.items.push_back(event);
            }
        });
    }

    /// Something was dropped before it came here.
    pub(crate) fn missed(&self) {
        self.change(|state, _| state.missed += 1);
    }

    /// Something that is never dropped. In a full queue it takes the place of the last such item, so that a connection that
    /// comes and goes does not make the queue grow.
    pub(crate) fn notice(&self, notice: T) {
        self.change(|state, capacity| {
            if state.items.len() >= capacity && state.items.back().is_some_and(T::is_notice) {
                state.items.pop_back();
            }
            state.tell_missed();
            state.items.push_back(notice);
        });
    }

    /// Whether nobody reads any more.
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
        Self { items: VecDeque::new(), missed: 0, waker: None, sender_gone: false, receiver_gone: false }
    }

    fn tell_missed(&mut self) {
        let missed = std::mem::take(&mut self.missed);
        match self.items.back_mut().and_then(T::lag) {
            _ if missed == 0 => {}
            Some(count) => *count += missed,
            None => self.items.push_back(T::lagged(missed)),
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
            state.tell_missed();
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
    fn what_did_not_fit_is_counted_in_its_place() {
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
    fn a_lag_is_told_also_when_nothing_follows() {
        let (sender, mut receiver) = bounded(1, Arc::default());
        sender.event(event("a"));
        sender.event(event("b"));
        assert_eq!(names(&drain(&mut receiver)), ["a", "lagged 1"]);
        assert!(drain(&mut receiver).is_empty());
    }

    #[test]
    fn a_full_queue_takes_notices_without_growing() {
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
