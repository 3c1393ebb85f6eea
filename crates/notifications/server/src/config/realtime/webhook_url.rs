/// Returns the host of a URL, which decides whether a proxy is used.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    match address.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => address.split(':').next().unwrap_or_default(),
    }
}

/// Returns the scheme and the host of a URL for an error, without what may be a secret: the user,
/// the path and the query, and everything if it is something else, such as JSON.
pub(crate) fn redacted(url: &str) -> String {
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let (scheme, separator) = url.split_once("://").map_or(("", ""), |(scheme, _)| (scheme, "://"));
    match host(url) {
        host if is_plain(scheme) && is_plain(host) => format!("{scheme}{separator}{host}"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_a_url() {
        for (url, expected) in [
            ("http://127.0.0.1:80/a", "127.0.0.1"),
            ("https://[::1]:80?x", "::1"),
            ("https://a:b@app.example", "app.example"),
            ("http://localhost#x", "localhost"),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn nothing_that_may_be_a_secret_is_shown() {
        for (url, expected) in [
            ("https://user:hunter2@app.example:99999/hunter2?hunter2#hunter2", "https://app.example"),
            ("ftp://app.example", "ftp://app.example"),
            ("app.example/hunter2", "app.example"),
            ("http://", "http://"),
            (r#"[{"headers":{"A":"hunter2"},"url":"https://a"}]"#, "…"),
            (r#"{"A":"hunter2"}"#, "…"),
            ("Bearer hunter2", "…"),
        ] {
            assert_eq!(redacted(url), expected, "{url}");
        }
    }
}
