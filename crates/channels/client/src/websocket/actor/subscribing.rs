use pusher_protocol::{ChannelKind, ChannelName, Members, PresenceMember, ProtocolEvent};
use pusher_signer::ChannelAuthorization;
use tokio::time::Instant;

use super::Actor;
use crate::websocket::connection::{AuthAnswer, AuthorizationResult, Connection, Ticket, call_app};
use crate::websocket::registry::{Phase, key_from};
use crate::{AuthorizationRequest, Error, ErrorKind};

/// Subscriptions: authorization, request, confirmation, rejection.
impl Actor {
    /// Starts a subscription if there is a connection.
    pub(super) fn start_subscription(&mut self, channel: &ChannelName) {
        if !channel.kind().needs_authorization() {
            return self.request(channel, "", None);
        }
        if let Some(ticket) = self.call_authorizer(channel, AuthAnswer::Subscription) {
            self.registry.set(channel, Phase::Authorizing(ticket), None);
        }
    }

    /// Calls the authorizer if there is a connection.
    fn call_authorizer(
        &mut self,
        channel: &ChannelName,
        to_answer: fn(Ticket, ChannelName, AuthorizationResult) -> AuthAnswer,
    ) -> Option<Ticket> {
        let authorizer = self.settings.authorizer.clone()?;
        let Connection::Open(connection) = &mut self.connection else { return None };
        let request = AuthorizationRequest::new(connection.socket_id.clone(), channel.clone());
        let limit = self.settings.limits.authorization_timeout;
        let permit = self.authorization_permits.clone().acquire_owned();
        let ticket = connection.ticket();
        connection.auth_calls.spawn(async move {
            let _permit = permit.await;
            let call = async { authorizer.authorize(&request).await };
            let result = call_app("authorizer", limit, call).await;
            to_answer(ticket, request.channel, result)
        });
        Some(ticket)
    }

    /// Sends the request for a subscription.
    fn request(&mut self, channel: &ChannelName, auth: &str, channel_data: Option<&str>) {
        if !matches!(self.connection, Connection::Open(_)) {
            return;
        }
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.registry.set(channel, Phase::Requested, Some(deadline));
        self.send(&ProtocolEvent::Subscribe { channel, auth, channel_data });
    }

    /// Handles the answer of the authorizer.
    pub(super) fn authorized(&mut self, ticket: Ticket, channel: &ChannelName, answer: AuthorizationResult) {
        if self.registry.phase(channel.as_str()) != Some(Phase::Authorizing(ticket)) {
            return;
        }
        match answer {
            Ok(authorization) => self.request_authorized(ticket, channel, &authorization),
            Err(error) if error.is_retryable() => {
                let message = format!("the subscription to {channel} could not be authorized yet");
                let error = Error::new(ErrorKind::Server, message).with_cause(error);
                let cause: &dyn std::error::Error = &error;
                tracing::debug!(%channel, error = cause, "retrying the authorization later");
                let _ = self.errors.send(error);
                self.retry_later(channel);
            }
            Err(error) => self.registry.refuse(channel, &Error::from(error)),
        }
    }

    /// Requests an authorized subscription. A presence channel may first have to wait for its user.
    pub(super) fn request_authorized(
        &mut self,
        ticket: Ticket,
        channel: &ChannelName,
        authorization: &ChannelAuthorization,
    ) {
        let kind = channel.kind();
        let channel_data = authorization.channel_data.as_deref();
        if kind.is_presence() {
            match (channel_data.map(PresenceMember::parse_text), self.sign_in.user()) {
                (Some(Ok(me)), _) => self.registry.set_me(channel, &me.id),
                (Some(Err(_)), _) => {}
                (None, Some(user)) => self.registry.set_me(channel, &user.id),
                (None, None) => return self.await_user(ticket, channel, authorization),
            }
        }
        if kind.is_encrypted() {
            match key_from(authorization.shared_secret.as_deref()) {
                Ok(key) => self.registry.set_key(channel, key, self.settings.limits.queue),
                Err(error) => return self.registry.refuse(channel, &error),
            }
        }
        self.request(channel, &authorization.auth, channel_data);
    }

    /// Waits for the sign-in, which provides the user that the authorization of a presence channel
    /// lacks.
    fn await_user(&mut self, ticket: Ticket, channel: &ChannelName, authorization: &ChannelAuthorization) {
        match &mut self.connection {
            Connection::Open(connection) if self.sign_in.is_pending() => {
                self.registry.set(channel, Phase::AwaitingUser(ticket), None);
                connection.awaiting_user.push((ticket, channel.clone(), authorization.clone()));
            }
            _ => self.registry.refuse(channel, &no_user()),
        }
    }

    /// Requests a new key for an encrypted channel.
    pub(super) fn renew_key(&mut self, channel: &str) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        tracing::debug!(%channel, "requesting a new key because an event could not be decrypted");
        if let Some(ticket) = self.call_authorizer(&channel, AuthAnswer::Key) {
            self.registry.await_key(&channel, ticket);
        }
    }

    /// Handles the answer to a request for a new key.
    pub(super) fn key_renewed(&mut self, ticket: Ticket, channel: &ChannelName, answer: AuthorizationResult) {
        let key = answer
            .map_err(Error::from)
            .and_then(|authorization| key_from(authorization.shared_secret.as_deref()));
        for event in self.registry.renew_key(ticket, channel, key) {
            self.bindings.deliver(&event);
        }
    }

    /// Handles the confirmation of a subscription.
    pub(super) fn subscribed(&mut self, channel: &str, members: Members) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        if channel.kind() == ChannelKind::ServerToUser {
            self.user_subscribed(&channel);
        } else if !self.registry.confirm(&channel, members) {
            self.send(&ProtocolEvent::Unsubscribe { channel: &channel });
        }
    }

    /// Handles the rejection of a subscription.
    pub(super) fn rejected(&mut self, channel: &str, error: Error) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        let is_answer = self.registry.phase(channel.as_str()) == Some(Phase::Requested);
        match error.is_retryable() {
            true if is_answer && self.registry.has_subscribers(&channel) => self.retry_later(&channel),
            // The rejection answers an earlier request, which no longer matters.
            true if !is_answer => {}
            _ => self.registry.refuse(&channel, &error),
        }
    }

    /// Handles a request that the server did not confirm in time.
    fn unconfirmed(&mut self, channel: &ChannelName) {
        if let Some(error) = self.registry.count_unconfirmed(channel) {
            return self.registry.refuse(channel, &error);
        }
        tracing::debug!(%channel, "the server did not confirm the subscription in time; retrying");
        self.retry_later(channel);
    }

    fn retry_later(&mut self, channel: &ChannelName) {
        let failures = self.registry.count_failure(channel);
        let delay = self.settings.limits.reconnect.delay(failures, &mut self.rng);
        self.registry.set(channel, Phase::Waiting, Some(Instant::now() + delay));
    }

    /// Handles deadlines that have passed.
    pub(super) fn timer(&mut self) {
        let now = Instant::now();
        if self.sign_in.deadline.is_some_and(|deadline| deadline <= now) {
            self.sign_in_deadline();
        }
        while let Some(channel) = self.registry.take_due(now) {
            match self.registry.phase(channel.as_str()) {
                Some(Phase::Waiting) => self.start_subscription(&channel),
                Some(Phase::Requested) if self.registry.has_subscribers(&channel) => {
                    self.unconfirmed(&channel)
                }
                Some(Phase::Requested) => {
                    self.registry.remove(&channel);
                    self.send(&ProtocolEvent::Unsubscribe { channel: &channel });
                }
                _ => {}
            }
        }
    }

    /// Removes dropped handles, and unsubscribes from channels without subscribers.
    pub(super) fn remove_unused(&mut self) {
        self.bindings.remove_dropped();
        for channel in self.registry.remove_unused().into_iter().chain(self.sign_in.remove_dropped()) {
            self.send(&ProtocolEvent::Unsubscribe { channel: &channel });
        }
        if self.sign_in.user().is_none() && !self.sign_in.is_pending() {
            self.refuse_awaiting(&no_user());
        }
    }
}

fn no_user() -> Error {
    let message = "the authorization of the presence channel has no channel_data, and no user signs in";
    Error::new(ErrorKind::Refused, message)
}
