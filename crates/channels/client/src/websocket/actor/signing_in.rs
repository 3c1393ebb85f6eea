use pusher_protocol::{ChannelName, ProtocolEvent, UserData};
use pusher_signer::UserAuthentication;
use tokio::time::Instant;

use super::Actor;
use crate::websocket::connection::{AuthAnswer, Connection, Ticket, call_app};
use crate::websocket::queue::Sender;
use crate::websocket::registry::Phase;
use crate::websocket::sign_in::Stage;
use crate::websocket::{ConnectionState, UserEvent};
use crate::{AuthorizationError, Error, ErrorKind, UserAuthenticationRequest};

/// The sign-in: authentication, request, confirmation, rejection.
impl Actor {
    /// Adds a handle. The first one starts a new sign-in whatever remains of an earlier one,
    /// because the app may now return another user.
    pub(super) fn join_sign_in(&mut self, handle: Sender<UserEvent>) {
        self.remove_unused();
        let is_first = !self.sign_in.has_handles();
        self.sign_in.join(handle);
        if let ConnectionState::Failed { reason } = &*self.state.borrow() {
            self.sign_in.refuse(reason);
        } else if is_first {
            self.authenticate();
        }
    }

    /// Starts the sign-in if there are handles and a connection.
    pub(super) fn sign_in(&mut self) {
        if self.sign_in.has_handles() {
            self.authenticate();
        }
    }

    fn authenticate(&mut self) {
        let (Connection::Open(connection), Some(authenticator)) =
            (&mut self.connection, self.settings.user_authenticator.clone())
        else {
            return;
        };
        let request = UserAuthenticationRequest::new(connection.socket_id.clone());
        let limit = self.settings.limits.authorization_timeout;
        let ticket = connection.ticket();
        self.sign_in.requested_user = None;
        self.sign_in.set(Stage::Authenticating(ticket), None);
        connection.auth_calls.spawn(async move {
            let call = async { authenticator.authenticate(&request).await };
            AuthAnswer::SignIn(ticket, call_app("user authenticator", limit, call).await)
        });
    }

    /// Handles the answer of the user authenticator.
    pub(super) fn authenticated(
        &mut self,
        ticket: Ticket,
        answer: Result<UserAuthentication, AuthorizationError>,
    ) {
        if self.sign_in.stage != Stage::Authenticating(ticket) {
            return;
        }
        match answer {
            Ok(_) if !self.sign_in.has_handles() => self.sign_in.set(Stage::Idle, None),
            Ok(answer) => self.request_sign_in(&answer),
            Err(error) if error.is_retryable() => {
                let error = Error::new(ErrorKind::Server, "the user could not be authenticated yet")
                    .with_cause(error);
                let cause: &dyn std::error::Error = &error;
                tracing::debug!(error = cause, "retrying the sign-in later");
                let _ = self.errors.send(error);
                self.sign_in_later();
            }
            Err(error) => self.refuse_sign_in(&Error::from(error)),
        }
    }

    fn request_sign_in(&mut self, answer: &UserAuthentication) {
        let Ok(user) = UserData::parse_text(answer.user_data.clone()) else {
            let message = "the user_data of the user authenticator does not name a user";
            return self.refuse_sign_in(&Error::new(ErrorKind::Refused, message));
        };
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.sign_in.server_error = None;
        self.sign_in.requested_user = Some(user.id);
        self.sign_in.set(Stage::Requested, Some(deadline));
        self.send(&ProtocolEvent::SignIn { auth: &answer.auth, user_data: &answer.user_data });
    }

    /// Handles the confirmation of the sign-in.
    pub(super) fn signed_in(&mut self, user: UserData) {
        // A late confirmation counts, but not that of an abandoned sign-in as another user.
        let is_awaited = matches!(self.sign_in.stage, Stage::Requested | Stage::Waiting);
        if !is_awaited || self.sign_in.requested_user.as_ref() != Some(&user.id) {
            return;
        }
        let Ok(channel) = ChannelName::of_user(&user.id) else {
            let message = "the user id cannot be part of a channel name";
            return self.refuse_sign_in(&Error::new(ErrorKind::Refused, message));
        };
        match self.sign_in.has_handles() {
            true => self.subscribe_user(user, channel),
            false => self.sign_in.set(Stage::Abandoned(user, channel), None),
        }
        let Connection::Open(connection) = &mut self.connection else { return };
        for (ticket, channel, authorization) in std::mem::take(&mut connection.awaiting_user) {
            if self.registry.phase(channel.as_str()) == Some(Phase::AwaitingUser(ticket)) {
                self.request_authorized(ticket, &channel, &authorization);
            }
        }
    }

    fn subscribe_user(&mut self, user: UserData, channel: ChannelName) {
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.sign_in.set(Stage::Subscribing(user, channel.clone()), Some(deadline));
        self.send(&ProtocolEvent::Subscribe { channel: &channel, auth: "", channel_data: None });
    }

    /// Handles the confirmation of the subscription to a user's channel.
    pub(super) fn user_subscribed(&mut self, confirmed: &ChannelName) {
        match self.sign_in.stage.clone() {
            Stage::Subscribing(user, channel) if channel == *confirmed && self.sign_in.has_handles() => {
                return self.sign_in.confirm(user, channel);
            }
            Stage::Subscribing(user, channel) if channel == *confirmed => {
                self.sign_in.set(Stage::Abandoned(user, channel), None);
            }
            Stage::SignedIn(_, channel) if channel == *confirmed => return,
            _ => {}
        }
        self.send(&ProtocolEvent::Unsubscribe { channel: confirmed });
    }

    /// Handles the deadline of the sign-in.
    pub(super) fn sign_in_deadline(&mut self) {
        self.sign_in.deadline = None;
        match self.sign_in.stage.clone() {
            Stage::Waiting => {
                self.sign_in.set(Stage::Idle, None);
                self.sign_in();
            }
            Stage::Requested => match self.sign_in.server_error.take() {
                Some(error) if !error.is_retryable() => self.refuse_sign_in(&error),
                _ => self.sign_in_later(),
            },
            Stage::Subscribing(user, channel) if self.sign_in.has_handles() => {
                self.subscribe_user(user, channel);
            }
            Stage::Subscribing(user, channel) => self.sign_in.set(Stage::Abandoned(user, channel), None),
            _ => {}
        }
    }

    fn sign_in_later(&mut self) {
        let failures = self.sign_in.count_failure();
        let delay = self.settings.limits.reconnect.delay(failures, &mut self.rng);
        self.sign_in.set(Stage::Waiting, Some(Instant::now() + delay));
    }

    /// Ends the sign-in and the subscriptions that wait for its user.
    fn refuse_sign_in(&mut self, reason: &Error) {
        self.sign_in.refuse(reason);
        self.refuse_awaiting(reason);
    }

    /// Ends the subscriptions that wait for the user of the sign-in.
    pub(super) fn refuse_awaiting(&mut self, reason: &Error) {
        let Connection::Open(connection) = &mut self.connection else { return };
        for (ticket, channel, _) in std::mem::take(&mut connection.awaiting_user) {
            if self.registry.phase(channel.as_str()) == Some(Phase::AwaitingUser(ticket)) {
                self.registry.refuse(&channel, reason);
            }
        }
    }
}
