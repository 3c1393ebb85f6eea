use pusher_protocol::{ChannelKind, ChannelName, Members, PresenceMember, ProtocolEvent};
use pusher_signer::ChannelAuthorization;
use tokio::time::Instant;

use super::Actor;
use crate::websocket::link::{Answer, Authorized, Link, Ticket, answer_of};
use crate::websocket::registry::{Phase, key_of};
use crate::{AuthorizationRequest, Error, ErrorKind};

/// How a channel becomes subscribed, and how it ends.
impl Actor {
    /// Starts a subscription, if there is a connection.
    pub(super) fn begin(&mut self, channel: &ChannelName) {
        if !channel.kind().needs_authorization() {
            return self.request(channel, "", None);
        }
        if let Some(ticket) = self.ask(channel, Answer::Channel) {
            self.registry.set(channel, Phase::Authorizing(ticket), None);
        }
    }

    /// Asks the authorizer, if there is a connection.
    fn ask(
        &mut self,
        channel: &ChannelName,
        answer: fn(Ticket, ChannelName, Authorized) -> Answer,
    ) -> Option<Ticket> {
        let authorizer = self.settings.authorizer.clone()?;
        let Link::Up(connection) = &mut self.link else { return None };
        let request = AuthorizationRequest::new(connection.socket_id.clone(), channel.clone());
        let limit = self.settings.limits.authorization_timeout;
        let turn = self.authorizing.clone().acquire_owned();
        let ticket = connection.ticket();
        connection.answers.spawn(async move {
            let _turn = turn.await;
            let asking = async { authorizer.authorize(&request).await };
            let authorized = answer_of("authorizer", limit, asking).await;
            answer(ticket, request.channel, authorized)
        });
        Some(ticket)
    }

    pub(super) fn request(&mut self, channel: &ChannelName, auth: &str, channel_data: Option<&str>) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.registry.set(channel, Phase::Requested, Some(deadline));
        self.send(&ProtocolEvent::Subscribe { channel, auth, channel_data });
    }

    pub(super) fn authorized(&mut self, ticket: Ticket, channel: &ChannelName, answer: Authorized) {
        if self.registry.phase(channel.as_str()) != Some(Phase::Authorizing(ticket)) {
            return;
        }
        match answer {
            Ok(authorization) => self.proceed(ticket, channel, &authorization),
            Err(error) if error.is_retryable() => {
                tracing::debug!(%channel, %error, "could not authorize");
                let message = format!("{channel} could not be authorized yet: {error}");
                let _ = self.errors.send(Error::new(ErrorKind::Server, message));
                self.again_later(channel);
            }
            Err(error) => self.registry.refuse(channel, &Error::from(error)),
        }
    }

    /// Sends an authorized subscription, once it is known as whom.
    pub(super) fn proceed(
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
            match key_of(authorization.shared_secret.as_deref()) {
                Ok(key) => self.registry.set_key(channel, key, self.settings.limits.queue),
                Err(error) => return self.registry.refuse(channel, &error),
            }
        }
        self.request(channel, &authorization.auth, channel_data);
    }

    /// An authorization for a presence channel that names no user: that of the sign-in counts.
    fn await_user(&mut self, ticket: Ticket, channel: &ChannelName, authorization: &ChannelAuthorization) {
        match &mut self.link {
            Link::Up(connection) if self.sign_in.is_under_way() => {
                self.registry.set(channel, Phase::AwaitingUser(ticket), None);
                connection.awaiting_user.push((ticket, channel.clone(), authorization.clone()));
            }
            _ => self.registry.refuse(channel, &nobody()),
        }
    }

    /// An encrypted channel's event could not be opened: its key may have changed.
    pub(super) fn renew_key(&mut self, channel: &str) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        tracing::debug!(%channel, "asking for another key");
        if let Some(ticket) = self.ask(&channel, Answer::Key) {
            self.registry.await_key(&channel, ticket);
        }
    }

    pub(super) fn key_renewed(&mut self, ticket: Ticket, channel: &ChannelName, answer: Authorized) {
        let key = answer
            .map_err(Error::from)
            .and_then(|authorization| key_of(authorization.shared_secret.as_deref()));
        for event in self.registry.renew_key(ticket, channel, key) {
            self.bindings.event(&event);
        }
    }

    pub(super) fn subscribed(&mut self, channel: &str, members: Members) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        if channel.kind() == ChannelKind::ServerToUser {
            self.user_subscribed(&channel);
        } else if !self.registry.confirm(&channel, members) {
            self.send(&ProtocolEvent::Unsubscribe { channel: &channel });
        }
    }

    pub(super) fn refused(&mut self, channel: &str, error: Error) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        let is_answer = self.registry.phase(channel.as_str()) == Some(Phase::Requested);
        match error.is_retryable() {
            true if is_answer && self.registry.is_wanted(&channel) => self.again_later(&channel),
            // To a request that was given up since, or to none: what stands or is under way goes on.
            true if !is_answer => {}
            _ => self.registry.refuse(&channel, &error),
        }
    }

    pub(super) fn again_later(&mut self, channel: &ChannelName) {
        let failures = self.registry.count_failure(channel);
        let delay = self.settings.limits.reconnect.delay(failures, &mut self.rng);
        self.registry.set(channel, Phase::Waiting, Some(Instant::now() + delay));
    }

    pub(super) fn timer(&mut self) {
        let now = Instant::now();
        if self.sign_in.deadline.is_some_and(|deadline| deadline <= now) {
            self.sign_in_due();
        }
        while let Some(channel) = self.registry.take_due(now) {
            match self.registry.phase(channel.as_str()) {
                Some(Phase::Waiting) => self.begin(&channel),
                Some(Phase::Requested) if self.registry.is_wanted(&channel) => {
                    tracing::debug!(%channel, "the server did not confirm the subscription in time");
                    self.again_later(&channel);
                }
                Some(Phase::Requested) => {
                    self.registry.remove(&channel);
                    self.send(&ProtocolEvent::Unsubscribe { channel: &channel });
                }
                _ => {}
            }
        }
    }

    pub(super) fn unsubscribe_unwanted(&mut self) {
        self.bindings.sweep();
        for channel in self.registry.sweep().into_iter().chain(self.sign_in.sweep()) {
            self.send(&ProtocolEvent::Unsubscribe { channel: &channel });
        }
        if self.sign_in.user().is_none() && !self.sign_in.is_under_way() {
            self.refuse_awaiting(&nobody());
        }
    }
}

fn nobody() -> Error {
    Error::new(ErrorKind::Refused, "the authorization has no channel_data, and nobody is signing in")
}
