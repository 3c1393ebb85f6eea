use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use pusher_protocol::{ChannelName, Outgoing};
use tokio::time::{Instant, timeout};

use super::Actor;
use crate::websocket::link::{Authorized, Link};
use crate::websocket::registry::Phase;
use crate::{AuthorizationError, AuthorizationErrorKind, AuthorizationRequest, Error, ErrorKind};

/// How a channel becomes subscribed, and how it ends.
impl Actor {
    /// Starts a subscription, if there is a connection.
    pub(super) fn begin(&mut self, channel: &ChannelName) {
        if !channel.kind().needs_authorization() {
            return self.request(channel, "", None);
        }
        let (Link::Up(connection), Some(authorizer)) = (&mut self.link, self.settings.authorizer.clone())
        else {
            return;
        };
        let request = AuthorizationRequest::new(connection.socket_id.clone(), channel.clone());
        let limit = self.settings.limits.authorization_timeout;
        let turn = self.authorizing.clone().acquire_owned();
        self.registry.set(channel, Phase::Authorizing, None);
        connection.authorizations.spawn(async move {
            let _turn = turn.await;
            let asking = AssertUnwindSafe(authorizer.authorize(&request)).catch_unwind();
            let answer = match timeout(limit, asking).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_panic)) => Err(AuthorizationError::permanent("the authorizer panicked")),
                Err(_elapsed) => Err(AuthorizationError::retryable("the authorizer took too long")),
            };
            (request.channel, answer)
        });
    }

    pub(super) fn request(&mut self, channel: &ChannelName, auth: &str, channel_data: Option<&str>) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.registry.set(channel, Phase::Requested, Some(deadline));
        self.send(&Outgoing::Subscribe { channel, auth, channel_data });
    }

    pub(super) fn authorized(&mut self, (channel, answer): Authorized) {
        if self.registry.phase(channel.as_str()) != Some(Phase::Authorizing) {
            return;
        }
        match answer {
            Ok(authorization) => {
                self.request(&channel, &authorization.auth, authorization.channel_data.as_deref());
            }
            Err(error) if error.is_retryable() => {
                tracing::debug!(%channel, %error, "could not authorize");
                let message = format!("{channel} could not be authorized yet: {error}");
                let _ = self.errors.send(Error::new(ErrorKind::Server, message));
                self.again_later(&channel);
            }
            Err(error) => {
                let kind = match error.kind() {
                    AuthorizationErrorKind::Unauthorized => ErrorKind::Unauthorized,
                    AuthorizationErrorKind::Forbidden => ErrorKind::Forbidden,
                    AuthorizationErrorKind::Retryable | AuthorizationErrorKind::Permanent => {
                        ErrorKind::Refused
                    }
                };
                self.registry.refuse(&channel, &Error::new(kind, error.to_string()));
            }
        }
    }

    pub(super) fn subscribed(&mut self, channel: &str) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        if !self.registry.confirm(&channel) {
            self.send(&Outgoing::Unsubscribe { channel: &channel });
        }
    }

    pub(super) fn refused(&mut self, channel: &str, error: Error) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        if error.is_retryable() && self.registry.is_wanted(&channel) {
            self.again_later(&channel);
        } else {
            self.registry.refuse(&channel, &error);
        }
    }

    pub(super) fn again_later(&mut self, channel: &ChannelName) {
        let failures = self.registry.count_failure(channel);
        let delay = self.settings.limits.backoff.delay(failures, &mut self.rng);
        self.registry.set(channel, Phase::Waiting, Some(Instant::now() + delay));
    }

    pub(super) fn timer(&mut self) {
        let now = Instant::now();
        while let Some(channel) = self.registry.take_due(now) {
            match self.registry.phase(channel.as_str()) {
                Some(Phase::Waiting) => self.begin(&channel),
                Some(Phase::Requested) if self.registry.is_wanted(&channel) => {
                    tracing::debug!(%channel, "the server did not confirm the subscription in time");
                    self.again_later(&channel);
                }
                Some(Phase::Requested) => {
                    self.registry.remove(&channel);
                    self.send(&Outgoing::Unsubscribe { channel: &channel });
                }
                _ => {}
            }
        }
    }

    pub(super) fn unsubscribe_unwanted(&mut self) {
        for channel in self.registry.sweep() {
            self.send(&Outgoing::Unsubscribe { channel: &channel });
        }
    }
}
