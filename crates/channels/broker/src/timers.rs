use std::time::Duration;

use pusher_protocol::CloseCode;
use tokio::time::Instant;

use crate::close::Close;
use crate::limits::Limits;

/// When a connection has to be pinged or closed.
#[derive(Debug)]
pub(crate) struct Timers {
    last_received: Instant,
    pinged: Option<Instant>,
    /// The deadline of the first subscription, until there is one.
    subscribe_by: Option<Instant>,
    authorization_expiry: Option<Instant>,
    idle: Duration,
    pong: Duration,
}

/// The longest time to wait for anything. Keeps sums with an [`Instant`] from overflowing.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The action that a connection's task has to perform now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Close(Close),
}

const PONG_MISSING: Close = Close::new(CloseCode::PONG_MISSING, "Pong reply not received");
const NEVER_SUBSCRIBED: Close =
    Close::new(CloseCode::UNAUTHORIZED, "Connection not authorized within timeout");
const AUTHORIZATION_EXPIRED: Close =
    Close::new(CloseCode::RECONNECT, "The authorization has expired: reconnect, and authorize again");

impl Timers {
    pub(crate) fn new(now: Instant, limits: &Limits) -> Self {
        Self {
            last_received: now,
            pinged: None,
            subscribe_by: Some(now + limits.subscribe_timeout.min(MAX_WAIT)),
            authorization_expiry: None,
            idle: limits.activity_timeout.saturating_add(limits.activity_margin).min(MAX_WAIT),
            pong: limits.pong_timeout.min(MAX_WAIT),
        }
    }

    /// Notes that a frame of any kind arrived. Returns whether it answers a ping, after which
    /// [`next`](Self::next) may be earlier.
    pub(crate) fn received(&mut self, now: Instant) -> bool {
        self.last_received = now;
        self.pinged.take().is_some()
    }

    /// Notes that a subscription succeeded.
    pub(crate) fn subscribed(&mut self) {
        self.subscribe_by = None;
    }

    /// Sets when the authorization expires, if ever. Returns whether that changed, after which
    /// [`next`](Self::next) may be earlier.
    pub(crate) fn set_authorization_expiry(&mut self, expiry: Option<Instant>) -> bool {
        std::mem::replace(&mut self.authorization_expiry, expiry) != expiry
    }

    /// Returns why the connection has to close now, whatever its client does.
    pub(crate) fn expired(&self, now: Instant) -> Option<Close> {
        if self.subscribe_by.is_some_and(|by| by <= now) {
            return Some(NEVER_SUBSCRIBED);
        }
        self.authorization_expiry.is_some_and(|expiry| expiry <= now).then_some(AUTHORIZATION_EXPIRED)
    }

    /// Returns `at`, or the connection's [expiry](Self::expired) if that is earlier.
    pub(crate) fn no_later_than_expiry(&self, at: Instant) -> Instant {
        [self.subscribe_by, self.authorization_expiry].into_iter().flatten().fold(at, Instant::min)
    }

    /// Returns the action that is due now. The caller has to send a ping that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        if let Some(close) = self.expired(now) {
            return Due::Close(close);
        }
        match self.pinged {
            Some(pinged) if pinged + self.pong <= now => Due::Close(PONG_MISSING),
            None if self.last_received + self.idle <= now => {
                self.pinged = Some(now);
                Due::Ping
            }
            _ => Due::Nothing,
        }
    }

    /// Returns when to call [`due`](Self::due) next. Frames and subscriptions in the meantime only
    /// make that call too early.
    pub(crate) fn next(&self) -> Instant {
        self.no_later_than_expiry(
            self.pinged.map_or(self.last_received + self.idle, |pinged| pinged + self.pong),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timers(start: Instant) -> Timers {
        let limits = Limits {
            activity_timeout: Duration::from_secs(100),
            activity_margin: Duration::from_secs(5),
            subscribe_timeout: Duration::from_secs(10),
            pong_timeout: Duration::from_secs(7),
            ..Limits::default()
        };
        Timers::new(start, &limits)
    }

    #[test]
    fn a_silent_client_is_pinged_and_then_closed() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        timers.subscribed();
        assert_eq!((timers.next(), timers.due(at(104))), (at(105), Due::Nothing));
        assert_eq!((timers.due(at(105)), timers.next()), (Due::Ping, at(112)));
        assert_eq!(timers.due(at(111)), Due::Nothing);
        assert_eq!(timers.due(at(112)), Due::Close(PONG_MISSING));
    }

    #[test]
    fn any_frame_answers_a_ping() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        timers.subscribed();
        assert_eq!(timers.due(at(105)), Due::Ping);
        assert!(timers.received(at(106)));
        assert_eq!((timers.due(at(112)), timers.next()), (Due::Nothing, at(211)));
    }

    #[test]
    fn the_longest_durations_do_not_overflow() {
        let longest = Duration::MAX;
        let limits = Limits {
            activity_timeout: longest,
            subscribe_timeout: longest,
            pong_timeout: longest,
            ..Limits::default()
        };
        let now = Instant::now();
        assert_eq!(Timers::new(now, &limits).next(), now + MAX_WAIT);
    }

    #[test]
    fn other_frames_do_not_extend_the_deadline_of_the_first_subscription() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        assert!(!timers.received(at(9)));
        assert_eq!((timers.next(), timers.due(at(10))), (at(10), Due::Close(NEVER_SUBSCRIBED)));
        timers.subscribed();
        assert_eq!(timers.due(at(10)), Due::Nothing);
    }

    #[test]
    fn frames_do_not_extend_an_authorization() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        timers.subscribed();
        assert!(
            timers.set_authorization_expiry(Some(at(50))) && !timers.set_authorization_expiry(Some(at(50)))
        );
        timers.received(at(49));
        assert_eq!((timers.due(at(49)), timers.next()), (Due::Nothing, at(50)));
        assert_eq!(timers.due(at(50)), Due::Close(AUTHORIZATION_EXPIRED));
    }
}
