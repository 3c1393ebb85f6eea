use std::str::FromStr;

use super::ConfigError;

/// The environment, or a map in its place.
pub(crate) struct Variables<'l> {
    lookup: &'l dyn Fn(&str) -> Option<String>,
}

impl<'l> Variables<'l> {
    pub(crate) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The value without white space around it. An empty one is none, as in the `.env` files that Laravel makes.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// A secret, as it is.
    pub(crate) fn secret(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The value read; `allowed` says what it may be.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        allowed: &str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        value
            .parse()
            .map(Some)
            .map_err(|_| ConfigError::new(name, format!("{value:?} is not allowed; it may be {allowed}")))
    }

    /// The comma-separated parts, without white space around them and without empty ones.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let Some(value) = self.text(name) else { return Vec::new() };
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}
