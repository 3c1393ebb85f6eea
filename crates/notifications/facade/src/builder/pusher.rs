use internal_notifications_pusher::pusher_client::Authorizer;
use internal_notifications_pusher::{Channels, PusherService, PusherServiceBuilder};
use internal_notifications_service::ServiceError;

use super::InternalNotificationsBuilder;

/// Settings of the service `pusher`.
impl InternalNotificationsBuilder {
    /// Sets the base URL of the inbox server: `http(s)://host[:port][/path]`.
    pub fn url(mut self, server: impl Into<String>) -> Self {
        self.server.get_or_insert("url");
        self.with_pusher(|pusher| pusher.url(server))
    }

    /// Uses a Channels app without an inbox server: a
    /// [live-only](PusherServiceBuilder::channels) service.
    pub fn channels(mut self, channels: Channels) -> Self {
        self.server.get_or_insert("channels");
        self.with_pusher(|pusher| pusher.channels(channels))
    }

    /// Sets the authorizer of the user's private channel, which replaces an auth endpoint.
    pub fn authorizer(self, authorizer: impl Authorizer + 'static) -> Self {
        self.with_pusher(|pusher| pusher.authorizer(authorizer))
    }

    /// Sets the URL that authorizes the user's private channel. By default the server provides it.
    pub fn auth_endpoint(self, url: impl Into<String>) -> Self {
        self.with_pusher(|pusher| pusher.auth_endpoint(url))
    }

    /// Sets the name of the event that carries a notification, in addition to those that the server
    /// names.
    pub fn event_name(self, name: impl Into<String>) -> Self {
        self.with_pusher(|pusher| pusher.event_name(name))
    }

    /// Changes any other setting of the Pusher service, such as timeouts and TLS roots. An
    /// [environment](Self::env) of this builder replaces the Pusher service's.
    ///
    /// ```
    /// use std::time::Duration;
    /// use internal_notifications::InternalNotifications;
    ///
    /// let builder = InternalNotifications::builder()
    ///     .with_pusher(|pusher| pusher.call_timeout(Duration::from_secs(5)));
    /// ```
    pub fn with_pusher(mut self, change: impl FnOnce(PusherServiceBuilder) -> PusherServiceBuilder) -> Self {
        self.pusher = change(self.pusher);
        self
    }

    pub(super) fn build_pusher(self) -> Result<PusherService, ServiceError> {
        let (env, pusher) = (self.env, self.pusher);
        if env.is_given() { pusher.env(move |name| env.get(name)).build() } else { pusher.build() }
    }
}
