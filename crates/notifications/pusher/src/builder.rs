use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{Authorizer, Connector, Roots};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::base_url::BaseUrl;
use crate::http::ReqwestHttp;
use crate::settings::Settings;
use crate::{Credentials, Http, Identity, PusherService};

/// The most notifications that a replica holds.
const MAX_WINDOW: usize = 200;

/// Builds a [`PusherService`]. `Debug` shows no token.
#[derive(Clone)]
pub struct PusherServiceBuilder {
    server_url: String,
    identity: Option<Who>,
    http: Option<Arc<dyn Http>>,
    connector: Option<Arc<dyn Connector>>,
    authorizer: Option<Arc<dyn Authorizer>>,
    auth_endpoint: Option<String>,
    roots: Roots,
    window: usize,
    position_check: Option<Duration>,
    request_timeout: Duration,
    call_timeout: Duration,
    seed: Option<u64>,
}

#[derive(Clone)]
enum Who {
    Asked(Arc<dyn Identity>),
    Fixed(UserId, String),
}

impl PusherServiceBuilder {
    pub(crate) fn new(server_url: String) -> Self {
        Self {
            server_url,
            identity: None,
            http: None,
            connector: None,
            authorizer: None,
            auth_endpoint: None,
            roots: Roots::new(),
            window: MAX_WINDOW,
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

    /// How many of the newest notifications the snapshot holds: 1 to 200, which is also the default.
    pub fn window(mut self, notifications: usize) -> Self {
        self.window = notifications.clamp(1, MAX_WINDOW);
        self
    }

    /// How long a loss may stay undiscovered on a connection that looks fine: the head is asked for at least this often. By default what
    /// the server says; at least 1 s.
    pub fn position_check(mut self, interval: Duration) -> Self {
        self.position_check = Some(interval);
        self
    }

    /// Where private channels are authorized: a URL. By default what the server says.
    pub fn auth_endpoint(mut self, url: impl Into<String>) -> Self {
        self.auth_endpoint = Some(url.into());
        self
    }

    /// Who authorizes private channels, instead of an auth endpoint.
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.authorizer = Some(authorizer);
        self
    }

    /// How long one request may take, its connection (at most 5 s) and answer included. 15 s by default.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How long a call may take with everything it needs: tokens, repeated requests and the waits between them. 30 s by default.
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
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
    /// [`ServiceErrorKind::Configuration`] when a URL cannot be used or nobody says who the user is;
    /// [`ServiceErrorKind::Unauthorized`] when the token is another user's.
    pub fn build(self) -> Result<PusherService, ServiceError> {
        self.settings().map(PusherService::new)
    }

    pub(crate) fn settings(self) -> Result<Settings, ServiceError> {
        let configuration = |detail: &str| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let base = BaseUrl::parse(&self.server_url)?;
        if let Some(url) = &self.auth_endpoint {
            BaseUrl::parse(url)
                .map_err(|_| configuration("the auth endpoint must be an http or https URL"))?;
        }
        let identity = match self.identity {
            Some(Who::Asked(identity)) => identity,
            Some(Who::Fixed(user_id, token)) => Arc::new(Credentials::new(user_id, token)?),
            None => {
                return Err(configuration(
                    "nobody says who the user is: set INTERNAL_NOTIFICATIONS_TOKEN, or give the builder a user or an identity",
                ));
            }
        };
        let http = match self.http {
            Some(http) => http,
            None => Arc::new(ReqwestHttp::new(base.host(), &self.roots, self.request_timeout)?),
        };
        let rng = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        Ok(Settings {
            base,
            identity,
            http,
            connector: self.connector,
            authorizer: self.authorizer,
            auth_endpoint: self.auth_endpoint,
            roots: self.roots,
            window: self.window,
            position_check: self.position_check,
            call_timeout: self.call_timeout,
            rng: Mutex::new(rng),
        })
    }
}

impl fmt::Debug for PusherServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PusherServiceBuilder")
            .field("server_url", &self.server_url)
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
    fn debug_shows_no_token() {
        let builder = builder("http://localhost:1");
        let text = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!text.contains("hidden"), "{text}");
    }
}
