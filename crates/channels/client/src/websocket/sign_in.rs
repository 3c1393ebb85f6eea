use std::sync::Arc;

use pusher_protocol::{ChannelName, Frame, UserData, WatchlistChanges, limits};
use tokio::time::Instant;

use super::link::Ticket;
use super::queue::Sender;
use super::{Event, UserEvent};
use crate::Error;

/// Users of one change of a watchlist that are told: some more than Pusher allows to be watched, for other servers may allow more.
const MOST_WATCHED: usize = 10 * limits::WATCHLIST;

/// The sign-in that is wanted, who wants it, and how far it has come.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    handles: Vec<Sender<UserEvent>>,
    pub(crate) stage: Stage,
    pub(crate) deadline: Option<Instant>,
    failures: u32,
    /// The id of the user whom the server was asked for, until the app is asked anew.
    pub(crate) requested: Option<String>,
    /// What the server complained of since it was asked.
    pub(crate) complaint: Option<Error>,
}

/// How far a sign-in has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was done for it: it is not wanted, or there is no connection.
    #[default]
    Idle,
    /// The authenticator is being asked.
    Authenticating(Ticket),
    /// Sent to the server; until the deadline.
    Requested,
    /// The connection is the user's, whose channel is asked for until the deadline.
    Subscribing(UserData, ChannelName),
    /// All stands.
    SignedIn(UserData, ChannelName),
    /// The connection is the user's, but nobody listens any more.
    Left(UserData, ChannelName),
    /// It failed, and begins again at the deadline.
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

    pub(crate) fn is_wanted(&self) -> bool {
        !self.handles.is_empty()
    }

    /// The user that the connection is.
    pub(crate) fn user(&self) -> Option<&UserData> {
        match &self.stage {
            Stage::Subscribing(user, _) | Stage::SignedIn(user, _) | Stage::Left(user, _) => Some(user),
            Stage::Idle | Stage::Authenticating(_) | Stage::Requested | Stage::Waiting => None,
        }
    }

    /// Whether the connection may become a user's.
    pub(crate) fn is_under_way(&self) -> bool {
        self.user().is_none() && (self.is_wanted() || self.stage == Stage::Requested)
    }

    pub(crate) fn count_failure(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// The user's channel stands.
    pub(crate) fn confirm(&mut self, user: UserData, channel: ChannelName) {
        self.failures = 0;
        self.notice(&UserEvent::SignedIn(user.clone()));
        self.set(Stage::SignedIn(user, channel), None);
    }

    /// An event on a channel of users. Given if it was for this one.
    pub(crate) fn deliver(&self, channel: &str, frame: Frame<'_>) -> Option<Event> {
        let Stage::SignedIn(_, own) = &self.stage else { return None };
        if own.as_str() != channel {
            return None;
        }
        let data = frame.data().text().into_owned();
        let event = Event::new(Arc::new(own.clone()), frame.event.into_owned(), data, None);
        self.tell(&UserEvent::Event(event.clone()));
        Some(event)
    }

    pub(crate) fn watchlist(&self, changes: WatchlistChanges) {
        if self.user().is_none() {
            return;
        }
        for mut change in changes.events {
            change.user_ids.truncate(MOST_WATCHED);
            match change.name.as_str() {
                "online" => self.tell(&UserEvent::Online(change.user_ids)),
                "offline" => self.tell(&UserEvent::Offline(change.user_ids)),
                other => tracing::debug!(event = other, "ignored a watchlist event that is not known"),
            }
        }
    }

    /// There is no connection any more.
    pub(crate) fn interrupt(&mut self) {
        if let Stage::SignedIn(..) = self.stage {
            self.notice(&UserEvent::Interrupted);
        }
        self.failures = 0;
        self.complaint = None;
        self.requested = None;
        self.set(Stage::Idle, None);
    }

    /// Ends the sign-in for all who want it.
    pub(crate) fn refuse(&mut self, reason: &Error) {
        self.notice(&UserEvent::Refused(reason.clone()));
        *self = Self::default();
    }

    /// Forgets handles that are gone. The channel of the user that nobody listens to any more.
    pub(crate) fn sweep(&mut self) -> Option<ChannelName> {
        self.handles.retain(|handle| !handle.is_closed());
        if self.is_wanted() {
            return None;
        }
        match std::mem::take(&mut self.stage) {
            Stage::SignedIn(user, channel) => {
                self.set(Stage::Left(user, channel.clone()), None);
                Some(channel)
            }
            // The server unsubscribes nothing before it has confirmed it.
            Stage::Waiting => {
                self.deadline = None;
                None
            }
            stage => {
                self.stage = stage;
                None
            }
        }
    }

    fn tell(&self, event: &UserEvent) {
        for handle in &self.handles {
            handle.event(event.clone());
        }
    }

    fn notice(&self, notice: &UserEvent) {
        for handle in &self.handles {
            handle.notice(notice.clone());
        }
    }
}
