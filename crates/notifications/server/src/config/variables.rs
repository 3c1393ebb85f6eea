use std::str::FromStr;

use super::{ConfigError, Variable};

/// The environment, or a map in its place.
pub(crate) struct Variables<'l> {
    lookup: &'l dyn Fn(&str) -> Option<String>,
}

impl<'l> Variables<'l> {
    pub(crate) fn new(lookup: &'l dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// Returns the value without surrounding white space. An empty value counts as unset, as in the
    /// `.env` files of Laravel.
    pub(crate) fn text(&self, variable: &Variable) -> Option<String> {
        let value = (self.lookup)(variable.name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Returns the value unchanged, for secrets.
    pub(crate) fn secret(&self, variable: &Variable) -> Option<String> {
        (self.lookup)(variable.name).filter(|value| !value.is_empty())
    }

    /// Returns the parsed value.
    pub(crate) fn parsed<T: FromStr>(&self, variable: &Variable) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(variable) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| ConfigError::not_allowed(variable, &value))
    }

    /// Returns the comma-separated parts of the value, trimmed, without empty ones.
    pub(crate) fn list(&self, variable: &Variable) -> Vec<String> {
        let Some(value) = self.text(variable) else { return Vec::new() };
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}
