use internal_notifications_models::NotificationId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use reqwest::Url;

/// The checked base URL of an inbox server.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ServiceError> {
        let invalid = |detail: &str| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let url = Url::parse(text).map_err(|_| {
            invalid("the server's URL is malformed; it must be one like http://127.0.0.1:8080")
        })?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(invalid("the server's URL must begin with http:// or https:// and a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("the server's URL must not contain a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("the server's URL must not have a query or fragment"));
        }
        Ok(Self(url))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Returns the URL of one of the server's routes.
    pub(crate) fn route(&self, path: &str, query: &[(&str, &str)]) -> String {
        self.join(path.split('/'), query)
    }

    /// Returns the URL of a notification below a route.
    ///
    /// The ids `.` and `..` are invalid here: every client takes them for a step in the path.
    pub(crate) fn notification(
        &self,
        route: &str,
        id: &NotificationId,
        query: &[(&str, &str)],
    ) -> Result<String, ServiceError> {
        if !id.fits_url() {
            let detail = "the ids . and .. cannot be used in a URL";
            return Err(ServiceError::new(ServiceErrorKind::Invalid, detail));
        }
        Ok(self.join(route.split('/').chain([id.as_str()]), query))
    }

    fn join<'a>(&self, segments: impl Iterator<Item = &'a str>, query: &[(&str, &str)]) -> String {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    #[test]
    fn routes_are_below_the_path_of_the_base_url() {
        for (text, url) in [
            ("http://localhost:8080", "http://localhost:8080/v1/inbox?limit=2"),
            ("https://example.org/", "https://example.org/v1/inbox?limit=2"),
            ("https://example.org/a/b/", "https://example.org/a/b/v1/inbox?limit=2"),
        ] {
            assert_eq!(base(text).route("v1/inbox", &[("limit", "2")]), url);
        }
    }

    #[test]
    fn an_id_is_one_path_segment_whatever_it_contains() {
        let url = |id: &str| {
            base("http://h").notification("v1/notifications", &NotificationId::new(id).unwrap(), &[])
        };
        let prefix = "http://h/v1/notifications";
        assert_eq!(url("a/../b?c#d").unwrap(), format!("{prefix}/a%2F..%2Fb%3Fc%23d"));
        assert_eq!(url("%2e").unwrap(), format!("{prefix}/%252e"));
        for id in [".", ".."] {
            assert_eq!(url(id).unwrap_err().kind(), ServiceErrorKind::Invalid);
        }
    }

    #[test]
    fn a_url_that_cannot_be_a_base_is_rejected() {
        for text in ["", "localhost:8080", "ftp://h", "http://", "http://u:p@h", "http://h?a=b", "http://h#f"]
        {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }
}
