use std::sync::Arc;

use internal_notifications_models::UserId;
use internal_notifications_pusher::pusher_client::Authorizer;
use internal_notifications_pusher::{
    Channels, Config, ConfiguredServer, Identity, PusherService, PusherServiceBuilder,
};
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::InternalNotificationsBuilder;
use crate::env::USER_ID;

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const KEY: &str = "PUSHER_APP_KEY";
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

    /// A Channels app alone, without an inbox server: live-only, as [`PusherService::live_only`] says.
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
        let mut builder = self.config()?.builder();
        let (inbox, pusher) = (self.inbox, self.pusher);
        if let Some((user_id, token)) = pusher.user {
            builder = builder.user(user_id, token);
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

    /// What the environment says, where code does not say another.
    fn config(&self) -> Result<Config, ServiceError> {
        let is_known = self.pusher.user.is_some() || self.pusher.identity.is_some();
        let lookup = |name: &str| match name {
            USER_ID | TOKEN if is_known => None,
            USER_ID => self.inbox.user_id.as_ref().map(UserId::to_string).or_else(|| self.env.get(name)),
            _ => self.env.get(name),
        };
        let server = match (&self.pusher.url, &self.pusher.channels) {
            (Some(url), _) => ConfiguredServer::Inbox(url.clone()),
            (None, Some(channels)) => ConfiguredServer::LiveOnly(channels.clone()),
            (None, None) if lookup(URL).or_else(|| lookup(KEY)).is_some() => return Config::from_env(lookup),
            (None, None) => {
                return Err(ServiceError::new(
                    ServiceErrorKind::Configuration,
                    "there is no server: set INTERNAL_NOTIFICATIONS_URL to the inbox server's base URL, like http://127.0.0.1:8080, or give \
                     the builder a `url` (or PUSHER_APP_KEY and PUSHER_APP_CLUSTER, or `channels`: live-only)",
                ));
            }
        };
        Config::of(server, lookup)
    }
}
