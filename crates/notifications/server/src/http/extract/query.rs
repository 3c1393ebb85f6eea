use std::convert::Infallible;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::problem::ApiError;

/// The query of the URL. Unknown parameters are ignored; an empty value counts as absent.
pub(in crate::http) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let pairs = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
        Ok(Self(pairs.unwrap_or_default()))
    }
}

impl Query {
    /// Returns a parameter that is a whole number in this range.
    pub(in crate::http) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        let (low, high) = range.into_inner();
        number
            .map(Some)
            .ok_or_else(|| ApiError::invalid(format!("`{name}` must be a whole number from {low} to {high}")))
    }

    /// Returns a parameter of another type.
    pub(in crate::http) fn parsed<T>(&self, name: &str) -> Result<Option<T>, ApiError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| ApiError::invalid(format!("`{name}`: {error}")))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next().filter(|value| !value.is_empty());
        match values.next() {
            Some(_) => Err(ApiError::invalid(format!("`{name}` may appear in the query only once"))),
            None => Ok(value),
        }
    }
}
