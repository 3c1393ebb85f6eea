use axum::http::{HeaderValue, Uri};

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const CORS_ORIGINS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_CORS_ORIGINS",
    method: "with_cors_origin",
    default: None,
    allowed: "origins like `https://app.example.com`, separated by commas",
    purpose: "The web front ends on other origins that may call the server. None by default.",
};

/// The origin of a web front end, such as `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Parses an origin.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if it does not have the form `scheme://host` or
    /// `scheme://host:port`.
    pub fn new(origin: impl Into<String>) -> Result<Self, ConfigError> {
        let origin = origin.into();
        let wrong = || ConfigError::not_allowed(&CORS_ORIGINS, &origin);
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
    variables.list(&CORS_ORIGINS).into_iter().map(Origin::new).collect()
}
