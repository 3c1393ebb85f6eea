use internal_notifications_pusher::pusher_client::Authorizer;
use internal_notifications_pusher::{Channels, PusherService, PusherServiceBuilder};
use internal_notifications_service::{ServiceError, Storage};

use super::InternalNotificationsBuilder;

const STORAGE: &str = "INTERNAL_NOTIFICATIONS_STORAGE";

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

    /// Keeps the inbox across restarts in this storage, such as `FileStorage::new(folder)` (feature
    /// `storage`).
    ///
    /// `init` then starts with the kept inbox, also offline, and queued writes survive.
    /// [`dispose`](crate::InternalNotifications::dispose) removes what is kept. By default
    /// `INTERNAL_NOTIFICATIONS_STORAGE` names the folder, and without it nothing is kept.
    pub fn storage(self, storage: impl Storage + 'static) -> Self {
        self.with_pusher(|pusher| pusher.storage(storage))
    }

    /// Lets `init` return with an empty inbox if the server cannot be reached and no inbox is kept.
    /// The inbox is loaded when there is a connection. By default such an `init` fails.
    pub fn start_offline(self) -> Self {
        self.with_pusher(PusherServiceBuilder::start_offline)
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
        let (env, mut pusher) = (self.env, self.pusher);
        if let Some(folder) = env.get(STORAGE).filter(|_| !pusher.has_storage()) {
            pusher = in_files(pusher, folder)?;
        }
        if env.is_given() { pusher.env(move |name| env.get(name)).build() } else { pusher.build() }
    }
}

#[cfg(feature = "storage")]
fn in_files(pusher: PusherServiceBuilder, folder: String) -> Result<PusherServiceBuilder, ServiceError> {
    Ok(pusher.storage(internal_notifications_storage::FileStorage::new(folder)))
}

#[cfg(not(feature = "storage"))]
fn in_files(_: PusherServiceBuilder, _: String) -> Result<PusherServiceBuilder, ServiceError> {
    let message = format!(
        "{STORAGE} is set, but this build has no storage: enable the feature `storage` of internal-notifications"
    );
    Err(ServiceError::new(internal_notifications_service::ServiceErrorKind::Configuration, message))
}
