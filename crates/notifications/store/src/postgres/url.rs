use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where a PostgreSQL database is, and who asks: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with parameters such as
/// `?sslmode=verify-full`. Its `Debug` shows nothing of it, for it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// Whether a URL is of this kind, well formed or not.
    pub(crate) fn is_meant_by(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// Host and database, for logs.
    pub(crate) fn shown(&self) -> String {
        let Some(options) = self.options() else { return "postgres".to_owned() };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        format!("postgres://{}/{database}", options.get_host())
    }

    pub(crate) fn options(&self) -> Option<PgConnectOptions> {
        self.0.parse().ok()
    }
}

impl FromStr for PostgresUrl {
    type Err = &'static str;

    /// # Errors
    /// A sentence that says what is wrong, without the URL.
    fn from_str(url: &str) -> Result<Self, &'static str> {
        let this = Self(url.to_owned());
        match Self::is_meant_by(url) && this.options().is_some() {
            true => Ok(this),
            false => Err(
                "this is no URL of a PostgreSQL database; it may be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?sslmode=verify-full for TLS",
            ),
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
    fn neither_the_debug_form_nor_an_error_shows_a_password() {
        let url: PostgresUrl = "postgres://ada:sesame@db.test:5433/inbox?sslmode=require".parse().unwrap();
        assert_eq!(format!("{url:?}"), "PostgresUrl(…)");
        assert_eq!(url.shown(), "postgres://db.test/inbox");
        for wrong in [
            "postgres://ada:sesame@db.test:port/inbox",
            "postgresql://ada:sesame@h/d?sslmode=sesame",
            "mysql://ada:sesame@h/d",
        ] {
            let problem = wrong.parse::<PostgresUrl>().unwrap_err();
            assert!(!problem.contains("sesame"), "{problem}");
        }
    }
}
