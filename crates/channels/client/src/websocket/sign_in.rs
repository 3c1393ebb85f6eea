use std::sync::Arc;

use pusher_protocol::{ChannelName, Frame, UserData, WatchlistChanges, limits};
use tokio::time::Instant;

use super::connection::Ticket;
use super::queue::Sender;
use super::{Event, UserEvent};
use crate::Error;

/// The most users of one watchlist change that are passed on. More than Pusher allows, as other
/// servers may allow more.
const MAX_WATCHED: usize = 10 * limits::WATCHLIST;

/// The most watchlist events that wait for the sign-in. A server sends one or two.
const MAX_EARLY: usize = 16;

/// The sign-in: its handles and its stage.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    handles: Vec<Sender<UserEvent>>,
    pub(crate) stage: Stage,
    pub(crate) deadline: Option<Instant>,
    failures: u32,
    /// The user id of the last request to the server, until the authenticator is called again.
    pub(crate) requested_user: Option<String>,
    /// The last error of the server since the request.
    pub(crate) server_error: Option<Error>,
    /// Watchlist events that arrived before the user's channel was confirmed.
    early: Vec<UserEvent>,
}

/// The stage of a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There are no handles, or there is no connection.
    #[default]
    Idle,
    /// The authenticator was called.
    Authenticating(Ticket),
    /// The request was sent; the server must confirm it before the deadline.
    Requested,
    /// The connection is signed in; the server must confirm the user's channel before the deadline.
    Subscribing(UserData, ChannelName),
    /// The connection is signed in, and the user's channel is subscribed.
    SignedIn(UserData, ChannelName),
    /// The connection is signed in, but no handles are left.
    Abandoned(UserData, ChannelName),
    /// It failed temporarily, and starts again at the deadline.
    Waiting,
}

impl SignIn {
    pub(crate) fn join(&mut self, handle: Sender<UserEvent>) {
        if let Stage::SignedIn(user, _) = &self.stage {
            handle.notice(UserEvent::SignedIn(user.clone()));
        }
        self.handles.push(handle);
    }

    pub(crate) fn set(&mut self, stage: Stage, deadline: Option<Instant>) {
        self.stage = stage;
        self.deadline = deadline;
    }

    pub(crate) fn has_handles(&self) -> bool {
        !self.handles.is_empty()
    }

    /// Returns the user of the connection.
    pub(crate) fn user(&self) -> Option<&UserData> {
        match &self.stage {
            Stage::Subscribing(user, _) | Stage::SignedIn(user, _) | Stage::Abandoned(user, _) => Some(user),
            Stage::Idle | Stage::Authenticating(_) | Stage::Requested | Stage::Waiting => None,
        }
    }

    /// Returns whether the sign-in may still succeed.
    pub(crate) fn is_pending(&self) -> bool {
        self.user().is_none() && (self.has_handles() || self.stage == Stage::Requested)
    }

    pub(crate) fn count_failure(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// Handles the confirmation of the user's channel.
    pub(crate) fn confirm(&mut self, user: UserData, channel: ChannelName) {
        self.failures = 0;
        self.notice(&UserEvent::SignedIn(user.clone()));
        self.set(Stage::SignedIn(user, channel), None);
        for event in std::mem::take(&mut self.early) {
            self.send(&event);
        }
    }

    /// Delivers an event of a user's channel, and returns it if it is this user's.
    pub(crate) fn deliver(&self, channel: &str, frame: Frame<'_>) -> Option<Event> {
        let Stage::SignedIn(_, own) = &self.stage else { return None };
        if own.as_str() != channel {
            return None;
        }
        let data = frame.data().text().into_owned();
        let event = Event::new(Arc::new(own.clone()), frame.event.into_owned(), data, None);
        self.send(&UserEvent::Event(event.clone()));
        Some(event)
    }

    /// Handles changes of the watchlist. Servers send the first before they confirm the user's
    /// channel; those wait, so that `SignedIn` comes first.
    pub(crate) fn watchlist(&mut self, changes: WatchlistChanges) {
        for mut change in changes.events {
            change.user_ids.truncate(MAX_WATCHED);
            let event = match change.name.as_str() {
                "online" => UserEvent::Online(change.user_ids),
                "offline" => UserEvent::Offline(change.user_ids),
                other => {
                    tracing::debug!(event = other, "ignored an unknown watchlist event");
                    continue;
                }
            };
            match self.stage {
                Stage::SignedIn(..) => self.send(&event),
                Stage::Subscribing(..) if self.early.len() < MAX_EARLY => self.early.push(event),
                _ => {}
            }
        }
    }

    /// Handles the end of the connection.
    pub(crate) fn interrupt(&mut self) {
        if let Stage::SignedIn(..) = self.stage {
            self.notice(&UserEvent::Interrupted);
        }
        self.failures = 0;
        self.server_error = None;
        self.early.clear();
        self.requested_user = None;
        self.set(Stage::Idle, None);
    }

    /// Ends the sign-in with an error.
    pub(crate) fn refuse(&mut self, reason: &Error) {
        self.notice(&UserEvent::Refused(reason.clone()));
        *self = Self::default();
    }

    /// Removes dropped handles. After the last, returns the user's channel to unsubscribe from.
    pub(crate) fn remove_dropped(&mut self) -> Option<ChannelName> {
        self.handles.retain(|handle| !handle.is_closed());
        if self.has_handles() {
            return None;
        }
        self.early.clear();
        match std::mem::take(&mut self.stage) {
            Stage::SignedIn(user, channel) => {
                self.set(Stage::Abandoned(user, channel.clone()), None);
                Some(channel)
            }
            Stage::Waiting => {
                self.deadline = None;
                None
            }
            // A pending request stays: the server ignores an unsubscribe before it has confirmed.
            stage => {
                self.stage = stage;
                None
            }
        }
    }

    /// Sends an event to all handles. One whose queue is full misses it.
    fn send(&self, event: &UserEvent) {
        for handle in &self.handles {
            handle.event(event.clone());
        }
    }

    /// Sends all handles a notice, which none misses.
    fn notice(&self, notice: &UserEvent) {
        for handle in &self.handles {
            handle.notice(notice.clone());
        }
    }
}
