use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pusher_protocol::CloseCode;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::close::Close;

/// The frames that wait to be written to one connection.
///
/// Bounded. Anyone can push without waiting; the connection's task takes.
#[derive(Debug)]
pub(crate) struct SendQueue {
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Utf8Bytes>,
    /// Frames that were taken and are not written yet.
    unwritten: usize,
    close: Option<Close>,
}

/// The next action of the connection's task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<F = Utf8Bytes> {
    Write(F),
    Close(Close),
    Nothing,
}

/// A client that reads slowly is read between bursts, so they have to be short for it.
const BURST_BYTES: usize = 64 * 1024;

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
        // The frame that is being written does not wait; others that were taken with it do.
        if state.frames.len() + state.unwritten.saturating_sub(1) < self.capacity {
            state.frames.push_back(frame);
        } else {
            *state = State { close: Some(SLOW_READER), ..State::default() };
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

    /// Removes and returns the next frames, or the reason to close once there is none. At most
    /// `limit` frames of at most 64 KiB together, but at least one. Keeps no memory for what it
    /// returns.
    pub(crate) fn take(&self, limit: usize) -> Next<VecDeque<Utf8Bytes>> {
        let mut state = self.lock();
        if state.frames.is_empty() {
            return state.close.map_or(Next::Nothing, Next::Close);
        }
        let mut bytes = 0;
        let fits = |frame: &&Utf8Bytes| {
            bytes += frame.len();
            bytes <= BURST_BYTES
        };
        let count = state.frames.iter().take(limit).take_while(fits).count().max(1);
        let rest = match state.frames.len() > count {
            true => state.frames.split_off(count),
            false => VecDeque::new(),
        };
        let frames = std::mem::replace(&mut state.frames, rest);
        state.unwritten += frames.len();
        Next::Write(frames)
    }

    /// Removes and returns the next frame as written.
    #[cfg(test)]
    pub(crate) fn pop(&self) -> Next {
        match self.take(1) {
            Next::Write(mut frames) => {
                self.written(1);
                frames.pop_front().map_or(Next::Nothing, Next::Write)
            }
            Next::Close(close) => Next::Close(close),
            Next::Nothing => Next::Nothing,
        }
    }

    /// Notes that some of the frames that were taken are written.
    pub(crate) fn written(&self, frames: usize) {
        let mut state = self.lock();
        state.unwritten = state.unwritten.saturating_sub(frames);
    }

    /// Waits until [`take`](Self::take) returns something. Supports one waiter at a time.
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

    fn frames(texts: &[&str]) -> Next<VecDeque<Utf8Bytes>> {
        Next::Write(texts.iter().map(|text| (*text).into()).collect())
    }

    #[test]
    fn frames_leave_in_the_order_they_came_as_many_as_asked_for() {
        let queue = SendQueue::new(3);
        for frame in ["a", "b", "c"] {
            queue.push(frame.into());
        }
        assert_eq!(queue.take(2), frames(&["a", "b"]));
        assert_eq!(queue.take(2), frames(&["c"]));
        assert_eq!(queue.take(2), Next::Nothing);
    }

    #[test]
    fn large_frames_leave_in_shorter_bursts() {
        let queue = SendQueue::new(9);
        let sizes = [BURST_BYTES / 2, BURST_BYTES / 2, 1, BURST_BYTES + 1, 1];
        sizes.iter().for_each(|size| queue.push("x".repeat(*size).into()));
        let mut bursts = Vec::new();
        while let Next::Write(frames) = queue.take(9) {
            bursts.push(frames.len());
        }
        assert_eq!(bursts, [2, 1, 1, 1]);
    }

    #[test]
    fn a_push_to_a_full_queue_closes_the_connection_and_frees_the_memory() {
        let queue = SendQueue::new(2);
        for frame in ["a", "b", "c", "d"] {
            queue.push(frame.into());
        }
        assert!(matches!(queue.take(9), Next::Close(Close { code: CloseCode::OVER_CAPACITY, .. })));
        assert_eq!(queue.lock().frames.capacity(), 0);
    }

    #[test]
    fn frames_that_were_taken_but_are_not_written_still_take_room() {
        let queue = SendQueue::new(2);
        queue.push("a".into());
        queue.push("b".into());
        assert_eq!(queue.take(9), frames(&["a", "b"]));
        queue.push("c".into());
        queue.written(1);
        queue.push("d".into());
        assert_eq!(queue.take(9), frames(&["c", "d"]));
        for frame in ["e", "f"] {
            queue.push(frame.into());
        }
        assert!(matches!(queue.take(9), Next::Close(_)));
    }

    #[test]
    fn the_first_close_reason_wins() {
        let queue = SendQueue::new(2);
        queue.close(SHUTDOWN);
        queue.close(Close::new(CloseCode::UNAUTHORIZED, ""));
        queue.push("late".into());
        assert_eq!(queue.take(9), Next::Close(SHUTDOWN));
    }

    #[test]
    fn frames_queued_before_a_close_leave_first() {
        let queue = SendQueue::new(2);
        queue.push("a".into());
        queue.close(SHUTDOWN);
        queue.push("late".into());
        assert_eq!(queue.take(9), frames(&["a"]));
        assert_eq!(queue.take(9), Next::Close(SHUTDOWN));
    }

    #[test]
    fn an_emptied_queue_frees_the_memory_it_grew_to() {
        let queue = SendQueue::new(100);
        (0..100).for_each(|_| queue.push("a".into()));
        while queue.take(64) != Next::Nothing {}
        assert_eq!(queue.lock().frames.capacity(), 0);
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
