use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_service::ServiceError;
use pusher_client::Roots;

use super::{PusherServiceBuilder, configuration};
use crate::api::BaseUrl;
use crate::{Channels, Credentials};

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const USER_ID: &str = "INTERNAL_NOTIFICATIONS_USER_ID";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const POSITION_CHECK: &str = "INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS";
const CA_FILE: &str = "INTERNAL_NOTIFICATIONS_CA_FILE";
const AUTH_ENDPOINT: &str = "PUSHER_AUTH_ENDPOINT";

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The environment; empty by default.
#[derive(Clone, Default)]
pub(super) struct Env(Option<Arc<Lookup>>);

impl Env {
    pub(super) fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// Returns a variable's value. An empty one counts as not set.
    fn get(&self, name: &str) -> Option<String> {
        self.0.as_ref().and_then(|lookup| lookup(name)).filter(|value| !value.is_empty())
    }
}

impl PusherServiceBuilder {
    /// Reads settings that are not set in code from the environment.
    pub(super) fn fill_from_env(&mut self) -> Result<(), ServiceError> {
        let env = std::mem::take(&mut self.env);
        if self.url.is_none() && self.channels.is_none() {
            self.url = env.get(URL);
            match &self.url {
                Some(url) => check_url(url)?,
                None => self.channels = Channels::from_env(|name| env.get(name))?,
            }
        }
        if self.user.is_none() && self.identity.is_none() {
            self.fill_user(env.get(USER_ID), env.get(TOKEN))?;
        }
        self.options.roots = match self.roots.take() {
            Some(roots) => roots,
            None => env.get(CA_FILE).map_or_else(|| Ok(Roots::new()), with_ca_file)?,
        };
        if self.options.position_check.is_none() {
            self.options.position_check = env.get(POSITION_CHECK).as_deref().map(seconds).transpose()?;
        }
        if self.options.auth_endpoint.is_none() && self.options.authorizer.is_none() {
            self.options.auth_endpoint = env.get(AUTH_ENDPOINT).map(checked_endpoint).transpose()?;
        }
        Ok(())
    }

    fn fill_user(&mut self, user_id: Option<String>, token: Option<String>) -> Result<(), ServiceError> {
        if self.user_id.is_none() {
            let user_id = user_id.map(UserId::new).transpose();
            self.user_id = user_id.map_err(|rule| wrong(USER_ID, &format!("is wrong: {rule}")))?;
        }
        let Some(token) = token else { return Ok(()) };
        let credentials = match self.user_id.take() {
            Some(user_id) => Credentials::new(user_id, token).map_err(|error| {
                wrong(TOKEN, &format!("cannot be used: {error}; it must be a token of the user in {USER_ID}"))
            }),
            None => Credentials::from_token(token).map_err(|_| {
                let problem = "does not name the user: it is not a JWT whose `sub` is a user id";
                wrong(TOKEN, &format!("{problem}; set {USER_ID} too, or give the builder a `user_id`"))
            }),
        };
        self.identity = Some(Arc::new(credentials?));
        Ok(())
    }
}

fn check_url(url: &str) -> Result<(), ServiceError> {
    match BaseUrl::parse(url) {
        Ok(_) => Ok(()),
        Err(error) => Err(wrong(URL, &format!("cannot be used: {error}"))),
    }
}

fn checked_endpoint(url: String) -> Result<String, ServiceError> {
    match BaseUrl::parse(&url) {
        Ok(_) => Ok(url),
        Err(_) => Err(wrong(AUTH_ENDPOINT, "must be a URL that begins with http:// or https://")),
    }
}

fn with_ca_file(path: String) -> Result<Roots, ServiceError> {
    let roots = Roots::new().with_pem_file(&path);
    roots.map_err(|error| {
        wrong(CA_FILE, "must be the path of a PEM file with certificates").with_source(error)
    })
}

fn seconds(text: &str) -> Result<Duration, ServiceError> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong(POSITION_CHECK, "must be a number of seconds, 1 to 86400")),
    }
}

fn wrong(variable: &str, problem: &str) -> ServiceError {
    configuration(&format!("{variable} {problem}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use internal_notifications_service::ServiceErrorKind;

    use super::*;
    use crate::PusherService;
    use crate::service::settings::Settings;

    const SERVER: (&str, &str) = (URL, "http://localhost:8080");
    /// `{"alg":"HS256"}`.`{"sub":"ada"}`.
    const ADAS_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln";

    fn builder(variables: &[(&'static str, &'static str)]) -> PusherServiceBuilder {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        PusherService::builder().env(move |name| variables.get(name).map(|value| (*value).to_owned()))
    }

    fn settings(variables: &[(&'static str, &'static str)]) -> Result<Settings, ServiceError> {
        builder(variables).settings()
    }

    #[tokio::test]
    async fn a_url_and_a_token_are_enough() {
        let settings = settings(&[SERVER, (TOKEN, ADAS_TOKEN), (POSITION_CHECK, "5")]).unwrap();
        assert_eq!(settings.identity.identity(false).await.unwrap().user_id().as_str(), "ada");
        assert_eq!(settings.options.position_check, Some(Duration::from_secs(5)));
        assert!(!format!("{:?}", builder(&[(TOKEN, ADAS_TOKEN)])).contains(ADAS_TOKEN));
    }

    #[test]
    fn the_error_of_a_wrong_value_names_the_variable() {
        for (variable, variables) in [
            (URL, vec![]),
            (URL, vec![(URL, "")]),
            (URL, vec![(URL, "localhost")]),
            (USER_ID, vec![SERVER, (USER_ID, "a b"), (TOKEN, ADAS_TOKEN)]),
            (TOKEN, vec![SERVER, (USER_ID, "bob"), (TOKEN, ADAS_TOKEN)]),
            (TOKEN, vec![SERVER, (TOKEN, "opaque")]),
            (POSITION_CHECK, vec![SERVER, (POSITION_CHECK, "0")]),
            (POSITION_CHECK, vec![SERVER, (POSITION_CHECK, "1m")]),
            (CA_FILE, vec![SERVER, (CA_FILE, "/no/such/file")]),
            (AUTH_ENDPOINT, vec![SERVER, (AUTH_ENDPOINT, "/pusher/auth")]),
        ] {
            let error = settings(&variables).err().unwrap();
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            assert!(error.to_string().starts_with(variable), "{error}");
            assert!(!error.to_string().contains(ADAS_TOKEN), "{error}");
        }
    }

    #[test]
    fn a_file_of_authorities_is_read_unless_the_code_sets_them() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../channels/client/tests/tls/ca.pem");
        assert!(settings(&[SERVER, (TOKEN, ADAS_TOKEN), (CA_FILE, file)]).is_ok());
        let variables = [SERVER, (TOKEN, ADAS_TOKEN), (CA_FILE, "/no/such/file")];
        assert!(settings(&variables).is_err());
        assert!(builder(&variables).roots(Roots::new()).settings().is_ok());
    }

    #[test]
    fn without_a_token_an_identity_is_needed() {
        let error = settings(&[SERVER, (USER_ID, "ada")]).err().unwrap();
        assert!(error.to_string().contains(TOKEN), "{error}");
    }

    #[tokio::test]
    async fn an_opaque_token_needs_the_user_beside_it() {
        let error = settings(&[SERVER, (TOKEN, "opaque")]).err().unwrap().to_string();
        assert!(error.contains(USER_ID) && error.contains("`user_id`"), "{error}");
        let neither = settings(&[SERVER]).err().unwrap().to_string();
        assert!(neither.contains(USER_ID), "{neither}");
        for settings in [
            settings(&[SERVER, (TOKEN, "opaque"), (USER_ID, "ada")]),
            builder(&[SERVER, (TOKEN, "opaque")]).user_id("ada").settings(),
        ] {
            let credentials = settings.unwrap().identity.identity(false).await.unwrap();
            assert_eq!((credentials.user_id().as_str(), credentials.token()), ("ada", "opaque"));
        }
    }

    #[tokio::test]
    async fn the_environment_only_supplies_settings_that_are_not_set_in_code() {
        let variables = [(URL, "not a URL"), (USER_ID, "bob"), (TOKEN, "bobs"), (POSITION_CHECK, "5")];
        let settings = builder(&variables)
            .url("http://localhost:1")
            .user("ada", "adas")
            .position_check(Duration::from_secs(7))
            .settings()
            .unwrap();
        assert_eq!(settings.identity.identity(false).await.unwrap().user_id().as_str(), "ada");
        assert_eq!(settings.options.position_check, Some(Duration::from_secs(7)));
        let error = builder(&[SERVER, (TOKEN, ADAS_TOKEN)]).user_id("bob").settings();
        assert!(error.err().unwrap().to_string().starts_with(TOKEN));
    }
}
