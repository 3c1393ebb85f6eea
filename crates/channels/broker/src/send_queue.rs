use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pusher_protocol::CloseCode;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::close::Close;

/// The frames that wait to be written to one connection.
///
/// Bounded. Anyone can push without waiting; the connection's task pops.
#[derive(Debug)]
pub(crate) struct SendQueue {
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Utf8Bytes>,
    close: Option<Close>,
}

/// The next action of the connection's task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Write(Utf8Bytes),
    Close(Close),
    Nothing,
}

/// A queue with more capacity than this frees its memory when it is empty.
const RETAINED_CAPACITY: usize = 8;

const SLOW_READER: Close =
    Close::new(CloseCode::OVER_CAPACITY, "The connection does not read what it is sent");

impl SendQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity: capacity.max(1) }
    }

    /// Adds a frame. If the queue is full, drops all frames and closes the connection.
    pub(crate) fn push(&self, frame: Utf8Bytes) {
        let mut state = self.lock();
        if state.close.is_some() {
            return;
        }
        if state.frames.len() < self.capacity {
            state.frames.push_back(frame);
        } else {
            *state = State { frames: VecDeque::new(), close: Some(SLOW_READER) };
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Closes the connection after the frames that already wait. The first reason wins; later
    /// frames are ignored.
    pub(crate) fn close(&self, close: Close) {
        self.lock().close.get_or_insert(close);
        self.changed.notify_one();
    }

    /// Removes and returns the next frame, or the reason to close once there is none.
    pub(crate) fn pop(&self) -> Next {
        let mut state = self.lock();
        let Some(frame) = state.frames.pop_front() else {
            return state.close.map_or(Next::Nothing, Next::Close);
        };
        if state.frames.is_empty() && state.frames.capacity() > RETAINED_CAPACITY {
            state.frames = VecDeque::new();
        }
        Next::Write(frame)
    }

    /// Waits until [`pop`](Self::pop) returns something. Supports one waiter at a time.
    pub(crate) async fn ready(&self) {
        let is_ready = |state: &State| state.close.is_some() || !state.frames.is_empty();
        while !is_ready(&self.lock()) {
            self.changed.notified().await;
        }
    }

    /// Waits until the connection has to close. Supports one waiter at a time.
    pub(crate) async fn closed(&self) -> Close {
        loop {
            // The lock must not be held while waiting.
            let close = self.lock().close;
            if let Some(close) = close {
                return close;
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHUTDOWN: Close = Close::new(CloseCode::RECONNECT, "");

    #[test]
    fn frames_leave_in_the_order_they_came() {
        let queue = SendQueue::new(2);
        queue.push("a".into());
        queue.push("b".into());
        assert_eq!(queue.pop(), Next::Write("a".into()));
        assert_eq!(queue.pop(), Next::Write("b".into()));
        assert_eq!(queue.pop(), Next::Nothing);
    }

    #[test]
    fn a_push_to_a_full_queue_closes_the_connection_and_frees_the_memory() {
        let queue = SendQueue::new(2);
        for frame in ["a", "b", "c", "d"] {
            queue.push(frame.into());
        }
        assert!(matches!(queue.pop(), Next::Close(Close { code: CloseCode::OVER_CAPACITY, .. })));
        assert_eq!(queue.lock().frames.capacity(), 0);
    }

    #[test]
    fn the_first_close_reason_wins() {
        let queue = SendQueue::new(2);
        queue.close(SHUTDOWN);
        queue.close(Close::new(CloseCode::UNAUTHORIZED, ""));
        queue.push("late".into());
        assert_eq!(queue.pop(), Next::Close(SHUTDOWN));
    }

    #[test]
    fn frames_queued_before_a_close_leave_first() {
        let queue = SendQueue::new(2);
        queue.push("a".into());
        queue.close(SHUTDOWN);
        queue.push("late".into());
        assert_eq!(queue.pop(), Next::Write("a".into()));
        assert_eq!(queue.pop(), Next::Close(SHUTDOWN));
    }

    #[test]
    fn an_emptied_queue_frees_the_memory_it_grew_to() {
        let queue = SendQueue::new(100);
        (0..100).for_each(|_| queue.push("a".into()));
        while queue.pop() != Next::Nothing {}
        assert!(queue.lock().frames.capacity() <= RETAINED_CAPACITY);
    }

    #[tokio::test]
    async fn a_push_before_the_wait_is_not_missed() {
        let queue = SendQueue::new(2);
        queue.push("a".into());
        queue.ready().await;
        queue.close(SHUTDOWN);
        assert_eq!(queue.closed().await, SHUTDOWN);
    }
}
