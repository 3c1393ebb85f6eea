mod conflicts;
mod env;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use internal_notifications_models::UserId;
use internal_notifications_service::{MAX_WINDOW, OfflinePush, ServiceError, ServiceErrorKind, Storage};
use pusher_client::{Authorizer, Connector, EventName, Roots};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::settings::{Endpoint, Options, Settings, Target};
use crate::api::BaseUrl;
use crate::http::ReqwestClient;
use crate::{Channels, Credentials, HttpClient, Identity, PusherService};
use env::Env;

/// Builds a [`PusherService`]. The `Debug` output shows no token.
///
/// A service needs a server ([`url`](Self::url) or [`channels`](Self::channels)) and a user
/// ([`user`](Self::user), [`identity`](Self::identity) or [`user_id`](Self::user_id)). The builder
/// reads settings that are not set in code from the environment, if it has one: see
/// [`env`](Self::env).
#[derive(Clone, Default)]
pub struct PusherServiceBuilder {
    url: Option<String>,
    channels: Option<Channels>,
    user: Option<(UserId, String)>,
    user_id: Option<UserId>,
    identity: Option<Arc<dyn Identity>>,
    event_name: Option<String>,
    http_client: Option<Arc<dyn HttpClient>>,
    request_timeout: Option<Duration>,
    roots: Option<Roots>,
    seed: Option<u64>,
    /// The first invalid user id.
    invalid: Option<ServiceError>,
    env: Env,
    options: Options,
}

/// The longest interval or timeout.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

impl PusherServiceBuilder {
    /// Creates an empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the inbox server's base URL: `http(s)://host[:port][/path]`.
    pub fn url(mut self, server: impl Into<String>) -> Self {
        self.url = Some(server.into());
        self
    }

    /// Makes the service live-only, on this Channels app, without an inbox server.
    ///
    /// Its list and count contain the notifications received over the channel since `init`, each id
    /// once, at most the newest 5,000. Those sent while it is disconnected are lost, and opening or
    /// removing one affects this device alone. It reads the events `internal-notification` (or the
    /// [`event_name`](Self::event_name)) and `Internal Notification`. Pushes fail with
    /// [`ServiceErrorKind::Disabled`].
    ///
    /// The channel needs an [`auth_endpoint`](Self::auth_endpoint) or an
    /// [`authorizer`](Self::authorizer). If it is rejected, the service tries again after a minute,
    /// or after the [`position_check`](Self::position_check).
    pub fn channels(mut self, app: Channels) -> Self {
        self.channels = Some(app);
        self
    }

    /// Sets the user and a token, which is used as long as it is valid.
    pub fn user(
        mut self,
        user_id: impl TryInto<UserId, Error: Into<ServiceError>>,
        token: impl Into<String>,
    ) -> Self {
        self.user = self.checked(user_id).map(|user_id| (user_id, token.into()));
        self
    }

    /// Sets the user without a token: enough for a live-only service with an
    /// [`authorizer`](Self::authorizer), or if the token is in the [`env`](Self::env).
    pub fn user_id(mut self, user_id: impl TryInto<UserId, Error: Into<ServiceError>>) -> Self {
        self.user_id = self.checked(user_id);
        self
    }

    /// Sets the identity, which names the user and provides tokens.
    pub fn identity(mut self, identity: impl Identity + 'static) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }

    /// Sets the environment, which supplies settings that are not set in code.
    ///
    /// `|name| std::env::var(name).ok()` reads the environment of the process. The variables are
    /// listed in the crate's documentation; an empty one counts as not set.
    pub fn env(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.env = Env::new(lookup);
        self
    }

    /// Sets how many of the newest notifications the snapshot holds before any `load_older`: 1 to
    /// [`MAX_WINDOW`], by default 200.
    ///
    /// `init` returns with at most the newest 200; the rest follows.
    pub fn window(mut self, notifications: usize) -> Self {
        self.options.window = notifications.clamp(1, MAX_WINDOW);
        self
    }

    /// Sets how many announcements a slow reader may leave unread before it gets
    /// [`Skipped`](internal_notifications_service::Announcement::Skipped): 1 to 65,536, by default
    /// 16,384. Rounded up to a power of two.
    pub fn announcement_queue(mut self, announcements: usize) -> Self {
        self.options.announcement_queue = announcements.clamp(1, 1 << 16);
        self
    }

    /// Sets what a push does without a connection.
    ///
    /// By default it fails, after a few tries within the [`call_timeout`](Self::call_timeout).
    pub fn offline_push(mut self, choice: OfflinePush) -> Self {
        self.options.offline_push = choice;
        self
    }

    /// Sets how often the position is compared with the server's: at least 1 s, at most 24 h.
    ///
    /// This bounds how long a lost event can go unnoticed on a connection that looks fine. By
    /// default the server sets the interval.
    pub fn position_check(mut self, interval: Duration) -> Self {
        self.options.position_check = Some(interval.min(MAX_DURATION));
        self
    }

    /// Sets the event that carries a notification.
    ///
    /// It is read in addition to the inbox server's events; in a live-only service it replaces
    /// `internal-notification`.
    pub fn event_name(mut self, name: impl Into<String>) -> Self {
        self.event_name = Some(name.into());
        self
    }

    /// Sets the URL that authorizes private channels. It is called with the user's token. By
    /// default the server names it.
    pub fn auth_endpoint(mut self, url: impl Into<String>) -> Self {
        self.options.auth_endpoint = Some(url.into());
        self
    }

    /// Sets an authorizer for private channels, instead of an auth endpoint.
    pub fn authorizer(mut self, authorizer: impl Authorizer + 'static) -> Self {
        self.options.authorizer = Some(Arc::new(authorizer));
        self
    }

    /// Sets how long one request may take, with its connection (at most 5 s) and its response. 15 s
    /// by default, at most 24 h.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout.min(MAX_DURATION));
        self
    }

    /// Sets how long a call may take in all, with tokens, retries and the waits between them. 30 s
    /// by default, at most 24 h.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.options.call_timeout = timeout.min(MAX_DURATION);
        self
    }

    /// Sets where the inbox is kept across restarts. By default it is not kept.
    ///
    /// `init` then starts with the kept inbox, also offline, and queued writes survive. Whatever is
    /// announced is kept before, so that nothing is announced again after a crash. If something
    /// cannot be kept, writes fail with [`ServiceErrorKind::Storage`], and
    /// [`Skipped`](internal_notifications_service::Announcement::Skipped) replaces announcements. A
    /// [live-only](Self::channels) service keeps nothing.
    pub fn storage(mut self, storage: impl Storage + 'static) -> Self {
        self.options.storage = Some(Arc::new(storage));
        self
    }

    /// Returns whether a [storage](Self::storage) is set.
    pub fn has_storage(&self) -> bool {
        self.options.storage.is_some()
    }

    /// Lets `init` return with an empty inbox if the server cannot be reached, or something else
    /// answers in its place, and the [storage](Self::storage), if any, has kept none. The inbox is
    /// loaded when there is a connection. By default such an `init` fails.
    pub fn start_offline(mut self) -> Self {
        self.options.start_offline = true;
        self
    }

    /// Sets the certificate authorities that TLS trusts, to the server and to the Channels engine.
    ///
    /// By default [`Roots::new`], with those in `INTERNAL_NOTIFICATIONS_CA_FILE` of the
    /// [`env`](Self::env). For apps on desktops that an organization manages, see
    /// [`Roots::platform`].
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Sets the proxy of all connections: `http://host:port`, `socks5://host:port` or
    /// `socks5h://host:port`, before the host `name:password@` where needed.
    ///
    /// By default `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the process decide, or
    /// else the settings of macOS or Windows, except for a server on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.options.proxy = Some(url.into());
        self
    }

    /// Sets the client that sends HTTP requests, for tests and simulations. reqwest by default.
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Sets how the WebSocket's connections are opened, for tests and simulations. TCP by default.
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.options.connector = Some(Arc::new(connector));
        self
    }

    /// Sets the machine's clock, for tests and simulations. If it jumps forwards against the
    /// monotonic one, the machine has slept, and the service [wakes], unless it is live-only.
    ///
    /// [wakes]: internal_notifications_service::InternalNotificationsService::wake
    pub fn wall_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.options.wall_clock = Arc::new(clock);
        self
    }

    /// Makes everything random repeatable (waits, and the ids of operations), for tests and
    /// simulations.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the service, which is idle until its `init`.
    ///
    /// # Errors
    /// Returns [`ServiceErrorKind::Configuration`] if a setting is missing or wrong, or two
    /// contradict each other, and [`ServiceErrorKind::Unauthorized`] if the token belongs to
    /// another user.
    pub fn build(self) -> Result<PusherService, ServiceError> {
        self.settings().map(PusherService::new)
    }

    pub(crate) fn settings(mut self) -> Result<Settings, ServiceError> {
        if let Some(error) = self.invalid.take() {
            return Err(error);
        }
        self.check_conflicts()?;
        self.fill_from_env()?;
        let (target, needs_token) = self.target()?;
        let event = self.event_name.as_deref().map(event_name).transpose()?;
        let identity: Arc<dyn Identity> = match (self.identity, self.user, self.user_id) {
            (Some(identity), ..) => identity,
            (None, Some((user_id, token)), _) => Arc::new(Credentials::new(user_id, token)?),
            (None, None, Some(user_id)) if !needs_token => Arc::new(Credentials::without_token(user_id)),
            _ => {
                return Err(configuration(
                    "the user or the token is missing: set INTERNAL_NOTIFICATIONS_TOKEN (and \
                     INTERNAL_NOTIFICATIONS_USER_ID, unless the token is a JWT whose `sub` is the user), or give \
                     the builder a `user` or an `identity`",
                ));
            }
        };
        let rng = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        Ok(Settings { target, identity, event, options: self.options, rng: Mutex::new(rng) })
    }

    /// Returns the user id if it is valid; otherwise `build` returns the error.
    fn checked(&mut self, user_id: impl TryInto<UserId, Error: Into<ServiceError>>) -> Option<UserId> {
        let error = match user_id.try_into() {
            Ok(user_id) => return Some(user_id),
            Err(error) => error.into(),
        };
        self.invalid.get_or_insert(configuration(&format!("the user of the builder is invalid: {error}")));
        None
    }

    /// Returns the server or app that the service connects to, and whether a token is needed.
    fn target(&self) -> Result<(Target, bool), ServiceError> {
        let auth_endpoint = self.options.auth_endpoint.as_deref().map(BaseUrl::parse).transpose();
        let auth_endpoint =
            auth_endpoint.map_err(|_| configuration("the auth endpoint must be an http or https URL"))?;
        let has_authorizer = self.options.authorizer.is_some();
        match (&self.url, &self.channels) {
            (Some(url), _) => Ok((Target::Server(self.endpoint(BaseUrl::parse(url)?)?), true)),
            (None, Some(channels)) => {
                channels.check()?;
                if auth_endpoint.is_none() && !has_authorizer {
                    return Err(configuration(
                        "nothing authorizes the user's channel: set PUSHER_AUTH_ENDPOINT, or give the builder an \
                         `auth_endpoint` or an `authorizer`",
                    ));
                }
                let endpoint = auth_endpoint.map(|base| self.endpoint(base)).transpose()?;
                Ok((Target::LiveOnly(channels.clone(), endpoint), !has_authorizer))
            }
            (None, None) => Err(configuration(
                "INTERNAL_NOTIFICATIONS_URL is not set: set it to the inbox server's base URL, like \
                 http://127.0.0.1:8080, or give the builder a `url` (for a live-only service set PUSHER_APP_KEY \
                 and PUSHER_APP_CLUSTER, or give it `channels`)",
            )),
        }
    }

    fn endpoint(&self, base: BaseUrl) -> Result<Endpoint, ServiceError> {
        let http_client = match &self.http_client {
            Some(client) => Arc::clone(client),
            None => {
                let timeout = self.request_timeout.unwrap_or(REQUEST_TIMEOUT);
                let proxy = self.options.proxy.as_deref();
                Arc::new(ReqwestClient::new(base.host(), &self.options.roots, proxy, timeout)?)
            }
        };
        Ok(Endpoint { base, http_client })
    }
}

fn event_name(name: &str) -> Result<EventName, ServiceError> {
    // Any member of a channel can send client events.
    let is_client_event = name.starts_with("client-");
    EventName::new(name).ok().filter(|_| !is_client_event).ok_or_else(|| {
        configuration("the event name must be valid for a Channels server and must not begin with client-")
    })
}

fn configuration(detail: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Configuration, detail)
}

impl fmt::Debug for PusherServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PusherServiceBuilder")
            .field("url", &self.url)
            .field("channels", &self.channels)
            .field("window", &self.options.window)
            .field("position_check", &self.options.position_check)
            .field("request_timeout", &self.request_timeout)
            .field("call_timeout", &self.options.call_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> UserId {
        UserId::new("ada").unwrap()
    }

    fn builder(url: &str) -> PusherServiceBuilder {
        PusherService::builder().url(url).user(ada(), "hidden")
    }

    #[test]
    fn wrong_settings_are_rejected_at_build() {
        assert!(builder("http://localhost:1").build().is_ok());
        let kind = |builder: PusherServiceBuilder| builder.build().unwrap_err().kind();
        assert_eq!(kind(builder("localhost")), ServiceErrorKind::Configuration);
        assert_eq!(kind(builder("http://h").auth_endpoint("/x")), ServiceErrorKind::Configuration);
        assert_eq!(kind(PusherService::builder().url("http://h")), ServiceErrorKind::Configuration);
        assert_eq!(kind(PusherService::builder().user(ada(), "t")), ServiceErrorKind::Configuration);
        let invalid = PusherService::builder().url("http://h").user("a b", "t").build().unwrap_err();
        assert_eq!(invalid.kind(), ServiceErrorKind::Configuration);
        assert!(invalid.to_string().contains("the user of the builder is invalid"), "{invalid}");
    }

    #[test]
    fn a_live_only_service_needs_an_auth_endpoint_or_an_authorizer() {
        let builder = || PusherService::builder().channels(Channels::cluster("k", "eu"));
        let error = |builder: PusherServiceBuilder| builder.build().unwrap_err().to_string();
        assert!(error(builder().user(ada(), "t")).contains("PUSHER_AUTH_ENDPOINT"));
        let endpoint = || builder().auth_endpoint("https://backend.example/auth");
        assert!(error(endpoint()).contains("INTERNAL_NOTIFICATIONS_TOKEN"));
        assert!(error(endpoint().user_id(ada())).contains("INTERNAL_NOTIFICATIONS_TOKEN"));
        assert!(error(endpoint().event_name("client-news")).contains("client-"));
        assert!(endpoint().user(ada(), "t").build().is_ok());
    }

    #[test]
    fn debug_output_contains_no_token() {
        let builder = builder("http://localhost:1");
        let text = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!text.contains("hidden"), "{text}");
    }
}
