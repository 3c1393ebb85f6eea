use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Notices a silent peer: any frame proves life; after a time without one a ping is due, and after another the peer counts
/// as gone (Pusher's protocol reference, "ping and pong messages").
pub(crate) struct KeepAlive {
    activity: Duration,
    pong: Duration,
    heard_at: Instant,
    /// Whether a frame came that `heard_at` does not know of.
    heard: bool,
    pinged: bool,
    timer: Pin<Box<Sleep>>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Ping,
    Gone,
}

impl KeepAlive {
    pub(crate) fn new(activity: Duration, pong: Duration) -> Self {
        Self {
            activity,
            pong,
            heard_at: Instant::now(),
            heard: false,
            pinged: false,
            timer: Box::pin(sleep(activity)),
        }
    }

    /// A frame came. The clock is read once there are no more for now, and the timer is left as it is,
    /// so that a frame costs little.
    pub(crate) fn heard(&mut self) {
        self.heard = true;
    }

    /// A ping is sent now. One that waits for its answer is not repeated; whether to send it.
    pub(crate) fn ask(&mut self) -> bool {
        self.note();
        if self.pinged {
            return false;
        }
        self.pinged = true;
        self.timer.as_mut().reset(Instant::now() + self.pong);
        true
    }

    /// Notes when the last frame came; it answers the ping that waits.
    fn note(&mut self) {
        if !std::mem::take(&mut self.heard) {
            return;
        }
        self.heard_at = Instant::now();
        if std::mem::take(&mut self.pinged) {
            self.timer.as_mut().reset(self.heard_at + self.activity);
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        self.note();
        loop {
            std::task::ready!(self.timer.as_mut().poll(cx));
            let quiet_until = self.heard_at + self.activity;
            if self.pinged {
                return Poll::Ready(Due::Gone);
            }
            if quiet_until <= Instant::now() {
                self.ask();
                return Poll::Ready(Due::Ping);
            }
            self.timer.as_mut().reset(quiet_until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    const ACTIVITY: Duration = Duration::from_secs(20);
    const PONG: Duration = Duration::from_secs(10);

    async fn due(keep_alive: &mut KeepAlive) -> (Due, Duration) {
        let start = Instant::now();
        let due = poll_fn(|cx| keep_alive.poll(cx)).await;
        (due, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_first_asked_then_given_up() {
        let mut keep_alive = KeepAlive::new(ACTIVITY, PONG);
        assert_eq!(due(&mut keep_alive).await, (Due::Ping, ACTIVITY));
        assert_eq!(due(&mut keep_alive).await, (Due::Gone, PONG));
    }

    #[tokio::test(start_paused = true)]
    async fn any_frame_puts_the_question_off() {
        let mut keep_alive = KeepAlive::new(ACTIVITY, PONG);
        advance(Duration::from_secs(15)).await;
        keep_alive.heard();
        assert_eq!(due(&mut keep_alive).await, (Due::Ping, ACTIVITY));
        advance(Duration::from_secs(1)).await;
        keep_alive.heard();
        assert_eq!(due(&mut keep_alive).await, (Due::Ping, ACTIVITY));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_before_the_question_is_no_answer_to_it() {
        let mut keep_alive = KeepAlive::new(ACTIVITY, PONG);
        keep_alive.heard();
        assert!(keep_alive.ask());
        assert_eq!(due(&mut keep_alive).await, (Due::Gone, PONG));
    }
}
