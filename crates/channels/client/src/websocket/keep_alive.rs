use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Decides when to ping, and when a connection is dead. Any received frame proves that the server
/// is there. After the activity timeout without one, a ping is due; after the pong timeout without
/// an answer, the connection is dead (Pusher's protocol reference, "ping and pong messages").
pub(crate) struct KeepAlive {
    activity_timeout: Duration,
    pong_timeout: Duration,
    last_received: Instant,
    /// Whether a frame arrived after `last_received` was set.
    has_received: bool,
    ping_pending: bool,
    timer: Pin<Box<Sleep>>,
}

/// The event that is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A ping must be sent.
    Ping,
    /// The last ping was not answered in time.
    Timeout,
}

impl KeepAlive {
    pub(crate) fn new(activity_timeout: Duration, pong_timeout: Duration) -> Self {
        Self {
            activity_timeout,
            pong_timeout,
            last_received: Instant::now(),
            has_received: false,
            ping_pending: false,
            timer: Box::pin(sleep(activity_timeout)),
        }
    }

    /// Records a received frame. It reads no clock and resets no timer, so that frames are cheap;
    /// the next [`poll`](Self::poll) does.
    pub(crate) fn received(&mut self) {
        self.has_received = true;
    }

    /// Starts the pong timeout, and returns whether to send a ping: not if one is pending.
    pub(crate) fn start_ping(&mut self) -> bool {
        self.update();
        if self.ping_pending {
            return false;
        }
        self.ping_pending = true;
        self.timer.as_mut().reset(Instant::now() + self.pong_timeout);
        true
    }

    /// Updates the time of the last frame, which also answers a pending ping.
    fn update(&mut self) {
        if !std::mem::take(&mut self.has_received) {
            return;
        }
        self.last_received = Instant::now();
        if std::mem::take(&mut self.ping_pending) {
            self.timer.as_mut().reset(self.last_received + self.activity_timeout);
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        self.update();
        loop {
            std::task::ready!(self.timer.as_mut().poll(cx));
            let ping_at = self.last_received + self.activity_timeout;
            if self.ping_pending {
                return Poll::Ready(Due::Timeout);
            }
            if ping_at <= Instant::now() {
                self.start_ping();
                return Poll::Ready(Due::Ping);
            }
            self.timer.as_mut().reset(ping_at);
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
    async fn after_a_silence_a_ping_is_due_and_then_the_timeout() {
        let mut keep_alive = KeepAlive::new(ACTIVITY, PONG);
        assert_eq!(due(&mut keep_alive).await, (Due::Ping, ACTIVITY));
        assert_eq!(due(&mut keep_alive).await, (Due::Timeout, PONG));
    }

    #[tokio::test(start_paused = true)]
    async fn any_frame_postpones_the_ping() {
        let mut keep_alive = KeepAlive::new(ACTIVITY, PONG);
        advance(Duration::from_secs(15)).await;
        keep_alive.received();
        assert_eq!(due(&mut keep_alive).await, (Due::Ping, ACTIVITY));
        advance(Duration::from_secs(1)).await;
        keep_alive.received();
        assert_eq!(due(&mut keep_alive).await, (Due::Ping, ACTIVITY));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_before_the_ping_does_not_answer_it() {
        let mut keep_alive = KeepAlive::new(ACTIVITY, PONG);
        keep_alive.received();
        assert!(keep_alive.start_ping());
        assert_eq!(due(&mut keep_alive).await, (Due::Timeout, PONG));
    }
}
