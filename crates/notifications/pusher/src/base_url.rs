use internal_notifications_models::NotificationId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use reqwest::Url;

/// The inbox server's base URL, checked.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ServiceError> {
        let wrong = |detail: &str| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let url = Url::parse(text)
            .map_err(|_| wrong("the server's URL cannot be read; it is one like http://127.0.0.1:8080"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("the server's URL must begin with http:// or https:// and a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("the server's URL must hold no user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("the server's URL must end with its path"));
        }
        Ok(Self(url))
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.0.port()
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Its path, without slashes at the ends.
    pub(crate) fn path(&self) -> &str {
        self.0.path().trim_matches('/')
    }

    /// The URL of one of the server's routes.
    pub(crate) fn route(&self, path: &str, query: &[(&str, &str)]) -> String {
        self.join(path.split('/'), query)
    }

    /// The URL of a notification below a route. None for the two ids that no URL can name, since every client takes them for a step in
    /// the path.
    pub(crate) fn notification(
        &self,
        route: &str,
        id: &NotificationId,
        query: &[(&str, &str)],
    ) -> Option<String> {
        let id = id.as_str();
        (id != "." && id != "..").then(|| self.join(route.split('/').chain([id]), query))
    }

    /// Where an endpoint is that the server named: a path of the server, or a URL.
    pub(crate) fn endpoint(&self, named: &str) -> Result<String, ServiceError> {
        if named.starts_with('/') && !named.starts_with("//") {
            return Ok(self.route(named.trim_start_matches('/'), &[]));
        }
        let protocol = |detail: &str| ServiceError::new(ServiceErrorKind::Protocol, detail);
        let url = Url::parse(named).map_err(|_| protocol("the server names no usable auth endpoint"))?;
        if url.scheme() == "https" || (url.scheme() == "http" && !self.is_tls()) {
            return Ok(url.into());
        }
        Err(protocol("the server names an auth endpoint without TLS"))
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
    fn routes_stand_below_the_path() {
        for (text, url) in [
            ("http://localhost:8080", "http://localhost:8080/v1/inbox?limit=2"),
            ("https://example.org/", "https://example.org/v1/inbox?limit=2"),
            ("https://example.org/a/b/", "https://example.org/a/b/v1/inbox?limit=2"),
        ] {
            assert_eq!(base(text).route("v1/inbox", &[("limit", "2")]), url);
        }
    }

    #[test]
    fn an_id_is_one_segment_whatever_is_in_it() {
        let url = |id: &str| {
            base("http://h").notification("v1/notifications", &NotificationId::new(id).unwrap(), &[])
        };
        let prefix = "http://h/v1/notifications";
        assert_eq!(url("a/../b?c#d"), Some(format!("{prefix}/a%2F..%2Fb%3Fc%23d")));
        assert_eq!(url("%2e"), Some(format!("{prefix}/%252e")));
        assert_eq!((url("."), url("..")), (None, None));
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for text in ["", "localhost:8080", "ftp://h", "http://", "http://u:p@h", "http://h?a=b", "http://h#f"]
        {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_a_path_or_a_url_that_hides_the_token_as_well() {
        let https = base("https://example.org/in");
        assert_eq!(https.endpoint("/pusher/auth").unwrap(), "https://example.org/in/pusher/auth");
        assert_eq!(https.endpoint("https://auth.org/x").unwrap(), "https://auth.org/x");
        for named in ["", "http://auth.org/x", "//auth.org/x", "ftp://x", "pusher/auth"] {
            assert!(https.endpoint(named).is_err(), "{named}");
        }
        assert!(base("http://h").endpoint("http://auth.org/x").is_ok());
    }
}
