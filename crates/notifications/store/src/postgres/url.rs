use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::{StoreError, StoreErrorKind};

/// The URL of a PostgreSQL database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
///
/// It may have parameters such as `?sslmode=verify-full`. Since it may hold a password, its `Debug`
/// output shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// Returns the whole URL, including its password.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL without user, password and parameters, for logs.
    pub fn redacted(&self) -> String {
        let Some(options) = self.options() else { return "postgres".to_owned() };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        format!("postgres://{}/{database}", options.get_host())
    }

    pub(super) fn options(&self) -> Option<PgConnectOptions> {
        self.0.parse().ok()
    }
}

impl FromStr for PostgresUrl {
    type Err = StoreError;

    /// # Errors
    /// Returns [`StoreErrorKind::Unusable`] if this is not a PostgreSQL URL. The error does not
    /// quote it.
    fn from_str(url: &str) -> Result<Self, StoreError> {
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let this = Self(url.to_owned());
        match is_postgres && this.options().is_some() {
            true => Ok(this),
            false => Err(StoreError::new(StoreErrorKind::Unusable).with_message(
                "not a PostgreSQL URL; use postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?sslmode=verify-full for TLS",
            )),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_output_nor_an_error_shows_a_password() {
        let url: PostgresUrl = "postgres://ada:sesame@db.test:5433/inbox?sslmode=require".parse().unwrap();
        assert_eq!(format!("{url:?}"), "PostgresUrl(…)");
        assert_eq!(url.redacted(), "postgres://db.test/inbox");
        for invalid in [
            "postgres://ada:sesame@db.test:port/inbox",
            "postgresql://ada:sesame@h/d?sslmode=sesame",
            "mysql://ada:sesame@h/d",
        ] {
            let error = invalid.parse::<PostgresUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
        }
    }

    #[test]
    fn a_url_without_a_database_names_that_of_its_user() {
        let url: PostgresUrl = "postgresql://ada@db.test".parse().unwrap();
        assert_eq!(
            (url.redacted().as_str(), url.as_str()),
            ("postgres://db.test/ada", "postgresql://ada@db.test")
        );
    }
}
