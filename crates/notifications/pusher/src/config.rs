use std::fmt;
use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::base_url::BaseUrl;
use crate::{Channels, Credentials, PusherService, PusherServiceBuilder};

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const USER_ID: &str = "INTERNAL_NOTIFICATIONS_USER_ID";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const POSITION_CHECK: &str = "INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS";
const AUTH_ENDPOINT: &str = "PUSHER_AUTH_ENDPOINT";

/// What the environment says of a service. `Debug` shows no token.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// What the service is a client of.
    pub server: ConfiguredServer,
    /// `INTERNAL_NOTIFICATIONS_TOKEN`, and the user: `INTERNAL_NOTIFICATIONS_USER_ID`, or the token's `sub`. None without a token: then
    /// the builder needs an identity, or in a live-only service an authorizer.
    pub credentials: Option<Credentials>,
    /// `INTERNAL_NOTIFICATIONS_USER_ID`.
    pub user_id: Option<UserId>,
    /// `INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS`, 1 to 86,400; by default what the server says.
    pub position_check: Option<Duration>,
    /// `PUSHER_AUTH_ENDPOINT`, a URL; by default what the server says.
    pub auth_endpoint: Option<String>,
}

/// What a service of the environment is a client of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfiguredServer {
    /// `INTERNAL_NOTIFICATIONS_URL`: the inbox server's base URL.
    Inbox(String),
    /// `PUSHER_APP_KEY` and the like, without an inbox server: the service is live-only.
    LiveOnly(Channels),
}

impl Config {
    /// Reads variables through `lookup`, which is `|name| std::env::var(name).ok()` in a program. An empty one counts as not set.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Configuration`], naming the variable and what it may be.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ServiceError> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let server = match set(URL) {
            Some(url) => {
                BaseUrl::parse(&url).map_err(|error| wrong(URL, &format!("cannot be used: {error}")))?;
                ConfiguredServer::Inbox(url)
            }
            None => ConfiguredServer::LiveOnly(Channels::from_env(set)?.ok_or_else(|| {
                wrong(
                    URL,
                    "is not set; it is the inbox server's base URL, like http://127.0.0.1:8080 (or PUSHER_APP_KEY and PUSHER_APP_CLUSTER: live-only)",
                )
            })?),
        };
        Self::of(server, set)
    }

    /// A server that code names, and what the environment says of everything else.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn of(
        server: ConfiguredServer,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ServiceError> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let auth_endpoint = set(AUTH_ENDPOINT);
        if auth_endpoint.as_deref().is_some_and(|url| BaseUrl::parse(url).is_err()) {
            return Err(wrong(AUTH_ENDPOINT, "must be a URL that begins with http:// or https://"));
        }
        let user_id = set(USER_ID).map(UserId::new).transpose();
        let user_id = user_id.map_err(|rule| wrong(USER_ID, &format!("is wrong: {rule}")))?;
        Ok(Self {
            server,
            credentials: credentials(user_id.clone(), set(TOKEN))?,
            user_id,
            position_check: set(POSITION_CHECK).as_deref().map(seconds).transpose()?,
            auth_endpoint,
        })
    }

    /// A builder that goes by it.
    pub fn builder(self) -> PusherServiceBuilder {
        let mut builder = match self.server {
            ConfiguredServer::Inbox(url) => PusherService::builder(url),
            ConfiguredServer::LiveOnly(channels) => PusherService::live_only(channels),
        };
        builder = match (self.credentials, self.user_id) {
            (Some(credentials), _) => builder.identity(std::sync::Arc::new(credentials)),
            (None, Some(user_id)) => builder.user_id(user_id),
            (None, None) => builder,
        };
        if let Some(interval) = self.position_check {
            builder = builder.position_check(interval);
        }
        if let Some(url) = self.auth_endpoint {
            builder = builder.auth_endpoint(url);
        }
        builder
    }
}

fn credentials(user_id: Option<UserId>, token: Option<String>) -> Result<Option<Credentials>, ServiceError> {
    let credentials = match (user_id, token) {
        (_, None) => return Ok(None),
        (Some(user_id), Some(token)) => Credentials::new(user_id, token),
        (None, Some(token)) => Credentials::from_token(token),
    };
    credentials.map(Some).map_err(|error| {
        wrong(TOKEN, &format!("cannot be used: {error}; it must be the token of the user in {USER_ID}"))
    })
}

fn seconds(text: &str) -> Result<Duration, ServiceError> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong(POSITION_CHECK, "must be a number of seconds, 1 to 86400")),
    }
}

fn wrong(variable: &str, problem: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Configuration, format!("{variable} {problem}"))
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("server", &self.server)
            .field("credentials", &self.credentials)
            .field("user_id", &self.user_id)
            .field("position_check", &self.position_check)
            .field("auth_endpoint", &self.auth_endpoint)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, ServiceError> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        Config::from_env(|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    /// `{"alg":"HS256"}`.`{"sub":"ada"}`.
    const ADAS: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln";

    #[test]
    fn a_url_and_a_token_are_enough() {
        let config = config(&[(URL, "http://localhost:8080"), (TOKEN, ADAS), (POSITION_CHECK, "5")]).unwrap();
        assert_eq!(config.credentials.as_ref().unwrap().user_id().as_str(), "ada");
        assert_eq!(config.position_check, Some(Duration::from_secs(5)));
        assert!(!format!("{config:?}").contains(ADAS));
        assert!(config.builder().build().is_ok());
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        let url = (URL, "http://localhost:8080");
        for (variable, variables) in [
            (URL, vec![]),
            (URL, vec![(URL, "")]),
            (URL, vec![(URL, "localhost")]),
            (USER_ID, vec![url, (USER_ID, "a b"), (TOKEN, ADAS)]),
            (TOKEN, vec![url, (USER_ID, "bob"), (TOKEN, ADAS)]),
            (TOKEN, vec![url, (TOKEN, "opaque")]),
            (POSITION_CHECK, vec![url, (POSITION_CHECK, "0")]),
            (POSITION_CHECK, vec![url, (POSITION_CHECK, "1m")]),
            (AUTH_ENDPOINT, vec![url, (AUTH_ENDPOINT, "/pusher/auth")]),
        ] {
            let error = config(&variables).unwrap_err();
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            assert!(error.to_string().starts_with(variable), "{error}");
            assert!(!error.to_string().contains(ADAS), "{error}");
        }
    }

    #[test]
    fn without_a_token_an_identity_is_needed() {
        let config = config(&[(URL, "http://localhost:8080"), (USER_ID, "ada")]).unwrap();
        let error = config.builder().build().unwrap_err();
        assert!(error.to_string().contains(TOKEN), "{error}");
    }
}
