use std::time::Duration;

use pusher_protocol::CloseCode;
use tokio::time::Instant;

use crate::limits::Limits;
use crate::mailbox::Ending;

/// When a connection has to be pinged or given up.
#[derive(Debug)]
pub(crate) struct Timers {
    heard: Instant,
    pinged: Option<Instant>,
    /// Until when the first subscription must come; none once it came.
    subscribe_by: Option<Instant>,
    /// When the authorization ends, if it does.
    authorized_until: Option<Instant>,
    idle: Duration,
    pong: Duration,
}

/// The longest that is waited for anything; keeps the sums below from overflowing, whatever the settings.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    End(Ending),
}

const PONG_MISSING: Ending = Ending::new(CloseCode::PONG_MISSING, "Pong reply not received");
const NEVER_SUBSCRIBED: Ending =
    Ending::new(CloseCode::UNAUTHORIZED, "Connection not authorized within timeout");
const AUTHORIZATION_ENDED: Ending =
    Ending::new(CloseCode::RECONNECT, "The authorization has expired: reconnect, and authorize again");

impl Timers {
    pub(crate) fn new(now: Instant, limits: &Limits) -> Self {
        Self {
            heard: now,
            pinged: None,
            subscribe_by: Some(now + limits.subscribe_timeout.min(LONGEST)),
            authorized_until: None,
            idle: limits.activity_timeout.saturating_add(limits.activity_margin).min(LONGEST),
            pong: limits.pong_timeout.min(LONGEST),
        }
    }

    /// A frame came, of whatever kind. Tells whether it answered a ping, so that [`next`](Self::next) may be earlier now.
    pub(crate) fn heard(&mut self, now: Instant) -> bool {
        self.heard = now;
        self.pinged.take().is_some()
    }

    /// A subscription was accepted.
    pub(crate) fn subscribed(&mut self) {
        self.subscribe_by = None;
    }

    /// The authorization ends then. Tells whether that is news, so that [`next`](Self::next) may be earlier now.
    pub(crate) fn authorized_until(&mut self, until: Option<Instant>) -> bool {
        std::mem::replace(&mut self.authorized_until, until) != until
    }

    /// Why the connection ends now, whatever its client does.
    pub(crate) fn over(&self, now: Instant) -> Option<Ending> {
        if self.subscribe_by.is_some_and(|by| by <= now) {
            return Some(NEVER_SUBSCRIBED);
        }
        self.authorized_until.is_some_and(|until| until <= now).then_some(AUTHORIZATION_ENDED)
    }

    /// `at`, or earlier when the connection is [over](Self::over) then.
    pub(crate) fn not_after_end(&self, at: Instant) -> Instant {
        [self.subscribe_by, self.authorized_until].into_iter().flatten().fold(at, Instant::min)
    }

    /// What is due now; a ping is taken as sent.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        if let Some(over) = self.over(now) {
            return Due::End(over);
        }
        match self.pinged {
            Some(pinged) if pinged + self.pong <= now => Due::End(PONG_MISSING),
            None if self.heard + self.idle <= now => {
                self.pinged = Some(now);
                Due::Ping
            }
            _ => Due::Nothing,
        }
    }

    /// When to ask [`due`](Self::due) next. Frames and subscriptions since then only make that too early.
    pub(crate) fn next(&self) -> Instant {
        self.not_after_end(self.pinged.map_or(self.heard + self.idle, |pinged| pinged + self.pong))
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
    fn a_silent_client_is_pinged_and_then_given_up() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        timers.subscribed();
        assert_eq!((timers.next(), timers.due(at(104))), (at(105), Due::Nothing));
        assert_eq!((timers.due(at(105)), timers.next()), (Due::Ping, at(112)));
        assert_eq!(timers.due(at(111)), Due::Nothing);
        assert_eq!(timers.due(at(112)), Due::End(PONG_MISSING));
    }

    #[test]
    fn any_frame_answers_a_ping() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        timers.subscribed();
        assert_eq!(timers.due(at(105)), Due::Ping);
        assert!(timers.heard(at(106)));
        assert_eq!((timers.due(at(112)), timers.next()), (Due::Nothing, at(211)));
    }

    #[test]
    fn settings_without_end_are_no_overflow() {
        let longest = Duration::MAX;
        let limits = Limits {
            activity_timeout: longest,
            subscribe_timeout: longest,
            pong_timeout: longest,
            ..Limits::default()
        };
        let now = Instant::now();
        assert_eq!(Timers::new(now, &limits).next(), now + LONGEST);
    }

    #[test]
    fn only_a_subscription_ends_the_wait_for_one() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        assert!(!timers.heard(at(9)));
        assert_eq!((timers.next(), timers.due(at(10))), (at(10), Due::End(NEVER_SUBSCRIBED)));
        timers.subscribed();
        assert_eq!(timers.due(at(10)), Due::Nothing);
    }

    #[test]
    fn an_authorization_ends_in_its_time_whatever_the_client_says() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = timers(start);
        timers.subscribed();
        assert!(timers.authorized_until(Some(at(50))) && !timers.authorized_until(Some(at(50))));
        timers.heard(at(49));
        assert_eq!((timers.due(at(49)), timers.next()), (Due::Nothing, at(50)));
        assert_eq!(timers.due(at(50)), Due::End(AUTHORIZATION_ENDED));
    }
}
