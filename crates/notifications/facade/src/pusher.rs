use std::sync::Arc;

use internal_notifications_models::UserId;
use internal_notifications_pusher::pusher_client::Authorizer;
use internal_notifications_pusher::{Channels, Identity, PusherService, PusherServiceBuilder};
use internal_notifications_service::ServiceError;

use crate::InternalNotificationsBuilder;

#[cfg(feature = "mock")]
pub(crate) const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";

#[derive(Clone, Default)]
pub(crate) struct PusherSettings {
    pub(crate) url: Option<String>,
    pub(crate) channels: Option<Channels>,
    pub(crate) user: Option<(UserId, String)>,
    pub(crate) identity: Option<Arc<dyn Identity>>,
    pub(crate) authorizer: Option<Arc<dyn Authorizer>>,
    pub(crate) auth_endpoint: Option<String>,
    event_name: Option<String>,
    with: Option<Arc<With>>,
}

type With = dyn Fn(PusherServiceBuilder) -> PusherServiceBuilder + Send + Sync;

/// For the service `pusher`. A mock asks the identity too.
impl InternalNotificationsBuilder {
    /// The inbox server's base URL: `http(s)://host[:port][/path]`.
    pub fn url(mut self, server: impl Into<String>) -> Self {
        self.pusher.url = Some(server.into());
        self
    }

    /// A Channels app alone, without an inbox server: live-only, see [`PusherServiceBuilder::channels`].
    pub fn channels(mut self, channels: Channels) -> Self {
        self.pusher.channels = Some(channels);
        self
    }

    /// A user with a token that serves as long as it is valid.
    pub fn user(mut self, user_id: UserId, token: impl Into<String>) -> Self {
        self.pusher.user = Some((user_id, token.into()));
        self
    }

    /// Who says who the user is, and gives fresh tokens. Each `init` asks it, and so do calls whose token the server refuses.
    pub fn identity(mut self, identity: Arc<dyn Identity>) -> Self {
        self.pusher.identity = Some(identity);
        self
    }

    /// Who authorizes the user's private channel, instead of an auth endpoint. The original's `onAuthorizer`.
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.pusher.authorizer = Some(authorizer);
        self
    }

    /// Where private channels are authorized: a URL. By default what the server says.
    pub fn auth_endpoint(mut self, url: impl Into<String>) -> Self {
        self.pusher.auth_endpoint = Some(url.into());
        self
    }

    /// The event that carries a notification, beside those that the server names.
    pub fn event_name(mut self, name: impl Into<String>) -> Self {
        self.pusher.event_name = Some(name.into());
        self
    }

    /// Every other setting of the Pusher service: time-outs, TLS roots, who carries requests. Applied last.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use internal_notifications::InternalNotifications;
    ///
    /// let builder = InternalNotifications::builder()
    ///     .with_pusher(|pusher| pusher.call_timeout(Duration::from_secs(5)));
    /// ```
    pub fn with_pusher(
        mut self,
        with: impl Fn(PusherServiceBuilder) -> PusherServiceBuilder + Send + Sync + 'static,
    ) -> Self {
        self.pusher.with = Some(Arc::new(with));
        self
    }

    pub(crate) fn pusher_service(self) -> Result<PusherService, ServiceError> {
        let (env, inbox, pusher) = (self.env, self.inbox, self.pusher);
        let mut builder = PusherService::builder().env(move |name| env.get(name));
        if let Some(url) = pusher.url {
            builder = builder.url(url);
        }
        if let Some(channels) = pusher.channels {
            builder = builder.channels(channels);
        }
        if let Some((user_id, token)) = pusher.user {
            builder = builder.user(user_id, token);
        }
        if let Some(user_id) = inbox.user_id {
            builder = builder.user_id(user_id);
        }
        if let Some(identity) = pusher.identity {
            builder = builder.identity(identity);
        }
        if let Some(authorizer) = pusher.authorizer {
            builder = builder.authorizer(authorizer);
        }
        if let Some(url) = pusher.auth_endpoint {
            builder = builder.auth_endpoint(url);
        }
        if let Some(name) = pusher.event_name {
            builder = builder.event_name(name);
        }
        if let Some(notifications) = inbox.window {
            builder = builder.window(notifications);
        }
        if let Some(choice) = inbox.offline_push {
            builder = builder.offline_push(choice);
        }
        if let Some(interval) = inbox.position_check {
            builder = builder.position_check(interval);
        }
        if let Some(with) = pusher.with {
            builder = with(builder);
        }
        builder.build()
    }
}
