use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_service::{MAX_WINDOW, OfflinePush, ServiceError, ServiceErrorKind};
use pusher_client::{Authorizer, Connector, EventName, Roots};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::base_url::BaseUrl;
use crate::http::ReqwestHttp;
use crate::settings::{Endpoint, Settings, Target};
use crate::{Channels, Credentials, Http, Identity, PusherService};

/// Builds a [`PusherService`]. `Debug` shows no token.
#[derive(Clone)]
pub struct PusherServiceBuilder {
    server: Server,
    identity: Option<Who>,
    http: Option<Arc<dyn Http>>,
    connector: Option<Arc<dyn Connector>>,
    authorizer: Option<Arc<dyn Authorizer>>,
    auth_endpoint: Option<String>,
    event_name: Option<String>,
    roots: Roots,
    window: usize,
    announcement_queue: usize,
    offline_push: OfflinePush,
    position_check: Option<Duration>,
    request_timeout: Duration,
    call_timeout: Duration,
    seed: Option<u64>,
}

#[derive(Clone, Debug)]
enum Server {
    Inbox(String),
    Channels(Channels),
}

#[derive(Clone)]
enum Who {
    Asked(Arc<dyn Identity>),
    Fixed(UserId, String),
    Named(UserId),
}

const WINDOW: usize = 200;

/// A catch-up may announce 10,000 at once; a reader that keeps up is told all of them.
const ANNOUNCEMENTS: usize = 1 << 14;

/// The longest that anything is waited for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl PusherServiceBuilder {
    pub(crate) fn new(server_url: String) -> Self {
        Self::to(Server::Inbox(server_url))
    }

    pub(crate) fn live_only(channels: Channels) -> Self {
        Self::to(Server::Channels(channels))
    }

    fn to(server: Server) -> Self {
        Self {
            server,
            identity: None,
            http: None,
            connector: None,
            authorizer: None,
            auth_endpoint: None,
            event_name: None,
            roots: Roots::new(),
            window: WINDOW,
            announcement_queue: ANNOUNCEMENTS,
            offline_push: OfflinePush::default(),
            position_check: None,
            request_timeout: Duration::from_secs(15),
            call_timeout: Duration::from_secs(30),
            seed: None,
        }
    }

    /// Who says who the user is, and gives tokens.
    pub fn identity(mut self, identity: Arc<dyn Identity>) -> Self {
        self.identity = Some(Who::Asked(identity));
        self
    }

    /// A user with a token that serves as long as it is valid.
    pub fn user(mut self, user_id: UserId, token: impl Into<String>) -> Self {
        self.identity = Some(Who::Fixed(user_id, token.into()));
        self
    }

    /// A user without a token: enough for a live-only service whose [`authorizer`](Self::authorizer) is the caller's.
    pub fn user_id(mut self, user_id: UserId) -> Self {
        self.identity = Some(Who::Named(user_id));
        self
    }

    /// How many of the newest notifications the snapshot holds before any `load_older`: 1 to [`MAX_WINDOW`], 200 by default. `init` returns
    /// with the newest 200; more are asked for afterwards.
    pub fn window(mut self, notifications: usize) -> Self {
        self.window = notifications.clamp(1, MAX_WINDOW);
        self
    }

    /// How many announcements wait for a reader before it is told [`Skipped`](internal_notifications_service::Announcement::Skipped): at least
    /// 1, 16,384 by default. Rounded up to a power of two.
    pub fn announcement_queue(mut self, announcements: usize) -> Self {
        self.announcement_queue = announcements.clamp(1, 1 << 16);
        self
    }

    /// What a push does without a connection: by default it errs, after a few tries within [`call_timeout`](Self::call_timeout).
    pub fn offline_push(mut self, choice: OfflinePush) -> Self {
        self.offline_push = choice;
        self
    }

    /// How long a loss may stay undiscovered on a connection that looks fine: the head is asked for at least this often. By default what
    /// the server says; at least 1 s.
    pub fn position_check(mut self, interval: Duration) -> Self {
        self.position_check = Some(interval.min(LONGEST));
        self
    }

    /// The event that carries a notification: read beside those that the inbox server names; in a live-only service instead of
    /// `internal-notification`.
    pub fn event_name(mut self, name: impl Into<String>) -> Self {
        self.event_name = Some(name.into());
        self
    }

    /// Where private channels are authorized: a URL. By default what the server says. It gets the user's token.
    pub fn auth_endpoint(mut self, url: impl Into<String>) -> Self {
        self.auth_endpoint = Some(url.into());
        self
    }

    /// Who authorizes private channels, instead of an auth endpoint. The original's `onAuthorizer`.
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.authorizer = Some(authorizer);
        self
    }

    /// How long one request may take, its connection (at most 5 s) and answer included. 15 s by default.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout.min(LONGEST);
        self
    }

    /// How long a call may take with everything it needs: tokens, repeated requests and the waits between them. 30 s by default.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout.min(LONGEST);
        self
    }

    /// Whom TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Who carries requests. By default reqwest; for tests and simulations.
    pub fn http(mut self, http: Arc<dyn Http>) -> Self {
        self.http = Some(http);
        self
    }

    /// Who opens the WebSocket's connections. By default TCP; for tests and simulations.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Makes everything random repeatable: waits, and the ids of operations. For tests and simulations.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The service, idle until its `init`.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Configuration`] when a URL or name cannot be used, or nobody says who the user is;
    /// [`ServiceErrorKind::Unauthorized`] when the token is another user's.
    pub fn build(self) -> Result<PusherService, ServiceError> {
        self.settings().map(PusherService::new)
    }

    pub(crate) fn settings(self) -> Result<Settings, ServiceError> {
        let configuration = |detail: &str| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let auth_endpoint = self.auth_endpoint.as_deref().map(BaseUrl::parse).transpose();
        let auth_endpoint =
            auth_endpoint.map_err(|_| configuration("the auth endpoint must be an http or https URL"))?;
        let event = self.event_name.as_deref().map(event_name).transpose()?;
        let endpoint = |base: BaseUrl| {
            let http: Arc<dyn Http> = match &self.http {
                Some(http) => Arc::clone(http),
                None => Arc::new(ReqwestHttp::new(base.host(), &self.roots, self.request_timeout)?),
            };
            Ok::<_, ServiceError>(Endpoint { base, http })
        };
        let needs_token = matches!(self.server, Server::Inbox(_)) || self.authorizer.is_none();
        let target = match self.server {
            Server::Inbox(url) => Target::Server(endpoint(BaseUrl::parse(&url)?)?),
            Server::Channels(channels) => {
                channels.check()?;
                if auth_endpoint.is_none() && self.authorizer.is_none() {
                    return Err(configuration(
                        "nobody authorizes the user's channel: set PUSHER_AUTH_ENDPOINT, or give the builder an authorizer",
                    ));
                }
                let base = auth_endpoint.filter(|_| self.authorizer.is_none());
                Target::LiveOnly(channels, base.map(endpoint).transpose()?)
            }
        };
        let identity = match self.identity {
            Some(Who::Asked(identity)) => identity,
            Some(Who::Fixed(user_id, token)) => Arc::new(Credentials::new(user_id, token)?),
            Some(Who::Named(user_id)) if !needs_token => Arc::new(Credentials::without_token(user_id)),
            _ => {
                return Err(configuration(
                    "nobody says who the user is: set INTERNAL_NOTIFICATIONS_TOKEN, or give the builder a user or an identity",
                ));
            }
        };
        let rng = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        Ok(Settings {
            target,
            identity,
            connector: self.connector,
            authorizer: self.authorizer,
            auth_endpoint: self.auth_endpoint,
            event,
            roots: self.roots,
            window: self.window,
            announcement_queue: self.announcement_queue,
            offline_push: self.offline_push,
            position_check: self.position_check,
            call_timeout: self.call_timeout,
            rng: Mutex::new(rng),
        })
    }
}

fn event_name(name: &str) -> Result<EventName, ServiceError> {
    // Any member of a channel can send those.
    let from_a_client = name.starts_with("client-");
    EventName::new(name).ok().filter(|_| !from_a_client).ok_or_else(|| {
        let detail =
            "the event name must be one that a Channels server publishes, and not begin with client-";
        ServiceError::new(ServiceErrorKind::Configuration, detail)
    })
}

impl fmt::Debug for PusherServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PusherServiceBuilder")
            .field("server", &self.server)
            .field("window", &self.window)
            .field("position_check", &self.position_check)
            .field("request_timeout", &self.request_timeout)
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder(url: &str) -> PusherServiceBuilder {
        PusherService::builder(url).user(UserId::new("ada").unwrap(), "hidden")
    }

    #[test]
    fn what_cannot_work_is_told_at_once() {
        assert!(builder("http://localhost:1").build().is_ok());
        let kind = |builder: PusherServiceBuilder| builder.build().unwrap_err().kind();
        assert_eq!(kind(builder("localhost")), ServiceErrorKind::Configuration);
        assert_eq!(kind(builder("http://h").auth_endpoint("/x")), ServiceErrorKind::Configuration);
        assert_eq!(kind(PusherService::builder("http://h")), ServiceErrorKind::Configuration);
    }

    #[test]
    fn a_live_only_service_needs_someone_who_authorizes() {
        let builder = || PusherService::live_only(Channels::cluster("k", "eu"));
        let told = |builder: PusherServiceBuilder| builder.build().unwrap_err().to_string();
        assert!(told(builder().user(UserId::new("ada").unwrap(), "t")).contains("PUSHER_AUTH_ENDPOINT"));
        let endpoint = || builder().auth_endpoint("https://backend.example/auth");
        assert!(told(endpoint()).contains("INTERNAL_NOTIFICATIONS_TOKEN"));
        assert!(
            told(endpoint().user_id(UserId::new("ada").unwrap())).contains("INTERNAL_NOTIFICATIONS_TOKEN")
        );
        assert!(told(endpoint().event_name("client-news")).contains("client-"));
        assert!(endpoint().user(UserId::new("ada").unwrap(), "t").build().is_ok());
    }

    #[test]
    fn debug_shows_no_token() {
        let builder = builder("http://localhost:1");
        let text = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!text.contains("hidden"), "{text}");
    }
}
