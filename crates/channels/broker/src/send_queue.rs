use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pusher_protocol::CloseCode;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Why the broker ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) code: CloseCode,
    pub(crate) reason: &'static str,
}

impl Ending {
    pub(crate) const fn new(code: CloseCode, reason: &'static str) -> Self {
        Self { code, reason }
    }
}

/// What waits to be written to one connection: bounded, filled by anyone without waiting, emptied by the connection's task.
#[derive(Debug)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    changed: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Utf8Bytes>,
    ending: Option<Ending>,
}

/// The next thing for the connection's task to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Write(Utf8Bytes),
    End(Ending),
    Nothing,
}

/// A queue that grew beyond this gives its memory back when it is empty.
const KEPT_CAPACITY: usize = 8;

impl Mailbox {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), capacity: capacity.max(1) }
    }

    /// Adds a frame. One too many ends the connection, and is dropped with all that waited.
    pub(crate) fn put(&self, frame: Utf8Bytes) {
        let mut state = self.lock();
        if state.ending.is_some() {
            return;
        }
        if state.frames.len() < self.capacity {
            state.frames.push_back(frame);
        } else {
            state.end(Ending::new(CloseCode::OVER_CAPACITY, "The connection does not read what it is sent"));
            state.frames = VecDeque::new();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Ends the connection once what waits is written; nothing more is taken. The first ending stands.
    pub(crate) fn end(&self, ending: Ending) {
        self.lock().end(ending);
        self.changed.notify_one();
    }

    pub(crate) fn next(&self) -> Next {
        let mut state = self.lock();
        let Some(frame) = state.frames.pop_front() else {
            return state.ending.map_or(Next::Nothing, Next::End);
        };
        if state.frames.is_empty() && state.frames.capacity() > KEPT_CAPACITY {
            state.frames = VecDeque::new();
        }
        Next::Write(frame)
    }

    /// Waits until [`next`](Self::next) has something. For one waiter at a time.
    pub(crate) async fn filled(&self) {
        let filled = |state: &State| state.ending.is_some() || !state.frames.is_empty();
        while !filled(&self.lock()) {
            self.changed.notified().await;
        }
    }

    /// Waits until the connection is to end. For one waiter at a time.
    pub(crate) async fn ended(&self) -> Ending {
        loop {
            // Not held while waiting.
            let ending = self.lock().ending;
            if let Some(ending) = ending {
                return ending;
            }
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHUTDOWN: Ending = Ending::new(CloseCode::RECONNECT, "");

    #[test]
    fn frames_leave_in_the_order_they_came() {
        let mailbox = Mailbox::new(2);
        mailbox.put("a".into());
        mailbox.put("b".into());
        assert_eq!(mailbox.next(), Next::Write("a".into()));
        assert_eq!(mailbox.next(), Next::Write("b".into()));
        assert_eq!(mailbox.next(), Next::Nothing);
    }

    #[test]
    fn a_frame_too_many_ends_the_connection_and_frees_the_queue() {
        let mailbox = Mailbox::new(2);
        for frame in ["a", "b", "c", "d"] {
            mailbox.put(frame.into());
        }
        assert!(matches!(mailbox.next(), Next::End(Ending { code: CloseCode::OVER_CAPACITY, .. })));
        assert_eq!(mailbox.lock().frames.capacity(), 0);
    }

    #[test]
    fn the_first_ending_stands() {
        let mailbox = Mailbox::new(2);
        mailbox.end(SHUTDOWN);
        mailbox.end(Ending::new(CloseCode::UNAUTHORIZED, ""));
        mailbox.put("late".into());
        assert_eq!(mailbox.next(), Next::End(SHUTDOWN));
    }

    #[test]
    fn what_was_queued_before_an_ending_leaves_first() {
        let mailbox = Mailbox::new(2);
        mailbox.put("a".into());
        mailbox.end(SHUTDOWN);
        mailbox.put("late".into());
        assert_eq!(mailbox.next(), Next::Write("a".into()));
        assert_eq!(mailbox.next(), Next::End(SHUTDOWN));
    }

    #[test]
    fn a_queue_that_grew_gives_its_memory_back() {
        let mailbox = Mailbox::new(100);
        (0..100).for_each(|_| mailbox.put("a".into()));
        while mailbox.next() != Next::Nothing {}
        assert!(mailbox.lock().frames.capacity() <= KEPT_CAPACITY);
    }

    #[tokio::test]
    async fn a_frame_put_before_the_wait_is_not_missed() {
        let mailbox = Mailbox::new(2);
        mailbox.put("a".into());
        mailbox.filled().await;
        mailbox.end(SHUTDOWN);
        assert_eq!(mailbox.ended().await, SHUTDOWN);
    }
}
