use pusher_protocol::{ChannelName, ProtocolEvent, UserData};
use pusher_signer::UserAuthentication;
use tokio::time::Instant;

use super::Actor;
use crate::websocket::link::{Answer, Link, Ticket, answer_of};
use crate::websocket::queue::Sender;
use crate::websocket::registry::Phase;
use crate::websocket::sign_in::Stage;
use crate::websocket::{ConnectionState, UserEvent};
use crate::{AuthorizationError, Error, ErrorKind, UserAuthenticationRequest};

/// How the connection becomes a user's.
impl Actor {
    /// Adds a handle. The first begins anew, whatever is left of an earlier sign-in: who it is now, the app says, perhaps
    /// another than the one whom the connection knows.
    pub(super) fn join_sign_in(&mut self, handle: Sender<UserEvent>) {
        self.unsubscribe_unwanted();
        let is_first = !self.sign_in.is_wanted();
        self.sign_in.join(handle);
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            self.sign_in.refuse(reason);
        } else if is_first {
            self.authenticate();
        }
    }

    /// Starts the sign-in, if it is wanted and there is a connection.
    pub(super) fn sign_in(&mut self) {
        if self.sign_in.is_wanted() {
            self.authenticate();
        }
    }

    fn authenticate(&mut self) {
        let (Link::Up(connection), Some(authenticator)) =
            (&mut self.link, self.settings.user_authenticator.clone())
        else {
            return;
        };
        let request = UserAuthenticationRequest::new(connection.socket_id.clone());
        let limit = self.settings.limits.authorization_timeout;
        let ticket = connection.ticket();
        self.sign_in.requested = None;
        self.sign_in.set(Stage::Authenticating(ticket), None);
        connection.answers.spawn(async move {
            let asking = async { authenticator.authenticate(&request).await };
            Answer::User(ticket, answer_of("user authenticator", limit, asking).await)
        });
    }

    pub(super) fn authenticated(
        &mut self,
        ticket: Ticket,
        answer: Result<UserAuthentication, AuthorizationError>,
    ) {
        if self.sign_in.stage != Stage::Authenticating(ticket) {
            return;
        }
        match answer {
            Ok(_) if !self.sign_in.is_wanted() => self.sign_in.set(Stage::Idle, None),
            Ok(answer) => self.request_sign_in(&answer),
            Err(error) if error.is_retryable() => {
                tracing::debug!(%error, "could not authenticate the user");
                let message = format!("the user could not be authenticated yet: {error}");
                let _ = self.errors.send(Error::new(ErrorKind::Server, message));
                self.sign_in_later();
            }
            Err(error) => self.sign_in_refused(&Error::from(error)),
        }
    }

    fn request_sign_in(&mut self, answer: &UserAuthentication) {
        let Ok(user) = UserData::parse_text(answer.user_data.clone()) else {
            let words = "the user authenticator's user_data names no user";
            return self.sign_in_refused(&Error::new(ErrorKind::Refused, words));
        };
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.sign_in.complaint = None;
        self.sign_in.requested = Some(user.id);
        self.sign_in.set(Stage::Requested, Some(deadline));
        self.send(&ProtocolEvent::SignIn { auth: &answer.auth, user_data: &answer.user_data });
    }

    /// The server made the connection the user's.
    pub(super) fn signed_in(&mut self, user: UserData) {
        // Late is better than never; but not for another user's sign-in, which was given up since.
        let is_awaited = matches!(self.sign_in.stage, Stage::Requested | Stage::Waiting);
        if !is_awaited || self.sign_in.requested.as_ref() != Some(&user.id) {
            return;
        }
        let Ok(channel) = ChannelName::of_user(&user.id) else {
            let words = "the user's id cannot stand in the name of a channel";
            return self.sign_in_refused(&Error::new(ErrorKind::Refused, words));
        };
        match self.sign_in.is_wanted() {
            true => self.subscribe_user(user, channel),
            false => self.sign_in.set(Stage::Left(user, channel), None),
        }
        let Link::Up(connection) = &mut self.link else { return };
        for (ticket, channel, authorization) in std::mem::take(&mut connection.awaiting_user) {
            if self.registry.phase(channel.as_str()) == Some(Phase::AwaitingUser(ticket)) {
                self.proceed(ticket, &channel, &authorization);
            }
        }
    }

    fn subscribe_user(&mut self, user: UserData, channel: ChannelName) {
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.sign_in.set(Stage::Subscribing(user, channel.clone()), Some(deadline));
        self.send(&ProtocolEvent::Subscribe { channel: &channel, auth: "", channel_data: None });
    }

    /// The server confirmed the subscription of a user's channel.
    pub(super) fn user_subscribed(&mut self, confirmed: &ChannelName) {
        match self.sign_in.stage.clone() {
            Stage::Subscribing(user, channel) if channel == *confirmed && self.sign_in.is_wanted() => {
                return self.sign_in.confirm(user, channel);
            }
            Stage::Subscribing(user, channel) if channel == *confirmed => {
                self.sign_in.set(Stage::Left(user, channel), None);
            }
            Stage::SignedIn(_, channel) if channel == *confirmed => return,
            _ => {}
        }
        self.send(&ProtocolEvent::Unsubscribe { channel: confirmed });
    }

    /// The time of the sign-in's deadline has come.
    pub(super) fn sign_in_due(&mut self) {
        self.sign_in.deadline = None;
        match self.sign_in.stage.clone() {
            Stage::Waiting => {
                self.sign_in.set(Stage::Idle, None);
                self.sign_in();
            }
            Stage::Requested => match self.sign_in.complaint.take() {
                Some(complaint) if !complaint.is_retryable() => self.sign_in_refused(&complaint),
                _ => self.sign_in_later(),
            },
            Stage::Subscribing(user, channel) if self.sign_in.is_wanted() => {
                self.subscribe_user(user, channel);
            }
            Stage::Subscribing(user, channel) => self.sign_in.set(Stage::Left(user, channel), None),
            _ => {}
        }
    }

    fn sign_in_later(&mut self) {
        tracing::debug!("the sign-in is tried again later");
        let failures = self.sign_in.count_failure();
        let delay = self.settings.limits.reconnect.delay(failures, &mut self.rng);
        self.sign_in.set(Stage::Waiting, Some(Instant::now() + delay));
    }

    /// The sign-in has failed for good.
    pub(super) fn sign_in_refused(&mut self, reason: &Error) {
        self.sign_in.refuse(reason);
        self.refuse_awaiting(reason);
    }

    /// Ends the channels that wait for a user that will not come.
    pub(super) fn refuse_awaiting(&mut self, reason: &Error) {
        let Link::Up(connection) = &mut self.link else { return };
        for (ticket, channel, _) in std::mem::take(&mut connection.awaiting_user) {
            if self.registry.phase(channel.as_str()) == Some(Phase::AwaitingUser(ticket)) {
                self.registry.refuse(&channel, reason);
            }
        }
    }
}
