use axum::http::{HeaderValue, Uri};

use super::ConfigError;
use super::variables::Variables;

const NAME: &str = "INTERNAL_NOTIFICATIONS_CORS_ORIGINS";

/// The origin of a web front end: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Checks an origin.
    ///
    /// # Errors
    /// It is not of the form `scheme://host` or `scheme://host:port`.
    pub fn new(origin: impl Into<String>) -> Result<Self, ConfigError> {
        let origin = origin.into();
        let wrong = || {
            let allowed = "origins like https://app.example.com, with commas between them";
            ConfigError::new(NAME, format!("{origin:?} is not allowed; it may be {allowed}"))
        };
        let uri: Uri = origin.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err(wrong()) };
        if origin != format!("{scheme}://{authority}") || authority.as_str().contains(['@', '*']) {
            return Err(wrong());
        }
        Ok(Self(origin))
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Vec<Origin>, ConfigError> {
    variables.list(NAME).into_iter().map(Origin::new).collect()
}
