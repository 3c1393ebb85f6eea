use pusher_signer::{EncryptionMasterKey, PusherUrl, Signer};

use super::HttpApiBuilder;
use crate::{Error, ErrorKind};

const URL: &str = "PUSHER_URL";
const APP_ID: &str = "PUSHER_APP_ID";
const APP_KEY: &str = "PUSHER_APP_KEY";
const APP_SECRET: &str = "PUSHER_APP_SECRET";
const CLUSTER: &str = "PUSHER_APP_CLUSTER";
const HOST: &str = "PUSHER_HOST";
const PORT: &str = "PUSHER_PORT";
const SCHEME: &str = "PUSHER_SCHEME";
const MASTER_KEY: &str = "PUSHER_ENCRYPTION_MASTER_KEY";

impl HttpApiBuilder {
    /// Creates a builder from a URL: `https://KEY:SECRET@HOST[:PORT]/apps/ID`, or `http://` for no
    /// TLS. Key and secret are percent-encoded where needed.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`] if the URL has another form. The message does not
    /// repeat the URL.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        parse(url)
            .ok_or_else(|| configuration("the URL must have the form https://KEY:SECRET@HOST[:PORT]/apps/ID"))
    }

    /// Creates a builder from environment variables. `lookup` returns the value of a variable; an
    /// empty value counts as unset. The names are those of Laravel and of Pusher's documentation:
    ///
    /// - `PUSHER_URL`, as in [`from_url`](Self::from_url); or else
    /// - `PUSHER_APP_ID`, `PUSHER_APP_KEY` and `PUSHER_APP_SECRET`, with `PUSHER_APP_CLUSTER` for
    ///   pusher.com or `PUSHER_HOST`, `PUSHER_PORT` and `PUSHER_SCHEME` (`https`, the default, or
    ///   `http`) for another server.
    /// - In both cases `PUSHER_ENCRYPTION_MASTER_KEY`, base64 of 32 bytes, for encrypted channels.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`] if a variable is missing or malformed. The message
    /// names the variable and does not repeat its value.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let mut builder = match value(URL) {
            Some(url) => parse(&url).ok_or_else(|| {
                configuration(&format!("{URL} must be https://KEY:SECRET@HOST[:PORT]/apps/ID"))
            })?,
            None => from_parts(&value)?,
        };
        if let Some(key) = value(MASTER_KEY) {
            let key: EncryptionMasterKey = key
                .parse()
                .map_err(|_| configuration(&format!("{MASTER_KEY} must be base64 of 32 bytes")))?;
            builder.signer = builder.signer.with_encryption_master_key(key);
        }
        Ok(builder)
    }
}

fn from_parts(value: &dyn Fn(&str) -> Option<String>) -> Result<HttpApiBuilder, Error> {
    let required = |name| value(name).ok_or_else(|| configuration(&format!("set {name} or {URL}")));
    let signer = Signer::new(required(APP_KEY)?, &required(APP_SECRET)?);
    let mut builder = HttpApiBuilder::new(required(APP_ID)?, signer);
    if let Some(port) = value(PORT) {
        let port = port.parse().ok().filter(|port| *port != 0);
        builder = builder
            .port(port.ok_or_else(|| configuration(&format!("{PORT} must be a number from 1 to 65535")))?);
    }
    builder = match value(SCHEME).as_deref() {
        None | Some("https") => builder,
        Some("http") => builder.tls(false),
        Some(_) => return Err(configuration(&format!("{SCHEME} must be https or http"))),
    };
    match (value(HOST), value(CLUSTER)) {
        (Some(host), _) => Ok(builder.host(host)),
        (None, Some(cluster)) => Ok(builder.cluster(&cluster)),
        (None, None) => Err(configuration(&format!("set {CLUSTER}, {HOST} or {URL}"))),
    }
}

fn parse(url: &str) -> Option<HttpApiBuilder> {
    let PusherUrl { signer, app_id, tls, host, port, .. } = url.parse().ok()?;
    let builder = HttpApiBuilder::new(app_id, signer).host(host).tls(tls);
    Some(match port {
        Some(port) => builder.port(port),
        None => builder,
    })
}

fn configuration(text: &str) -> Error {
    Error::new(ErrorKind::Configuration, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<HttpApiBuilder, Error> {
        HttpApiBuilder::from_lookup(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn parts(builder: &HttpApiBuilder) -> (String, String, String) {
        let url = builder.endpoint.finish().unwrap().http_url();
        (url, builder.app_id.clone(), builder.signer.key().to_owned())
    }

    fn expected(url: &str, id: &str, key: &str) -> (String, String, String) {
        (url.to_owned(), id.to_owned(), key.to_owned())
    }

    #[test]
    fn a_url_configures_app_and_server() {
        for (url, expected_parts) in [
            ("https://k:s@api-eu.pusher.com/apps/12", expected("https://api-eu.pusher.com:443", "12", "k")),
            ("http://k:s@localhost:6001/apps/a-b/", expected("http://localhost:6001", "a-b", "k")),
            ("http://k%40:s@[::1]:1/apps/1", expected("http://[::1]:1", "1", "k@")),
        ] {
            assert_eq!(parts(&HttpApiBuilder::from_url(url).unwrap()), expected_parts);
            assert_eq!(parts(&from(&[(URL, url), (APP_ID, "other")]).unwrap()), expected_parts);
        }
        let signer = HttpApiBuilder::from_url("https://k:s%2Ft@h/apps/1").unwrap().signer;
        assert_eq!(signer.sign(b"x"), Signer::new("k", "s/t").sign(b"x"));
    }

    #[test]
    fn a_url_of_another_form_is_rejected_and_not_repeated() {
        for url in [
            "",
            "k:hidden@host/apps/1",
            "ftp://k:hidden@host/apps/1",
            "https://host/apps/1",
            "https://k@host/apps/1",
            "https://k:@host/apps/1",
            "https://:hidden@host/apps/1",
            "https://k:hidden@host/app/1",
            "https://k:hidden@host/apps/",
            "https://k:hidden@host/apps/1/events",
            "https://k:hidden@host/apps/1?x=1",
            "https://k:hidden@host/apps/1#x",
            "https://k:hidden%FF@host/apps/1",
        ] {
            let error = HttpApiBuilder::from_url(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert!(!error.to_string().contains("hidden"));
        }
        let error = from(&[(URL, "https://k:hidden@host")]).unwrap_err().to_string();
        assert!(error.contains(URL) && !error.contains("hidden"), "{error}");
    }

    #[test]
    fn variables_configure_app_and_server() {
        let app = [(APP_ID, "1"), (APP_KEY, "k"), (APP_SECRET, "s")];
        let with = |more: &[(&'static str, &'static str)]| from(&[&app, more].concat());
        for (more, url) in [
            (&[(CLUSTER, "eu")][..], "https://api-eu.pusher.com:443"),
            (&[(CLUSTER, "eu"), (HOST, "h"), (PORT, "6001"), (SCHEME, "http")], "http://h:6001"),
            (&[(HOST, "h"), (CLUSTER, ""), (PORT, "")], "https://h:443"),
        ] {
            assert_eq!(parts(&with(more).unwrap()), expected(url, "1", "k"));
        }
        for (more, named) in [
            (&[][..], CLUSTER),
            (&[(HOST, "h"), (PORT, "0")], PORT),
            (&[(HOST, "h"), (PORT, "hidden")], PORT),
            (&[(HOST, "h"), (SCHEME, "hidden")], SCHEME),
            (&[(HOST, "h"), (MASTER_KEY, "hidden")], MASTER_KEY),
        ] {
            let error = with(more).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(named) && !error.to_string().contains("hidden"), "{error}");
        }
        for left_out in [APP_ID, APP_KEY, APP_SECRET] {
            let rest: Vec<_> = app.into_iter().filter(|(name, _)| *name != left_out).collect();
            let error = from(&[&rest[..], &[(HOST, "h")]].concat()).unwrap_err().to_string();
            assert!(error.contains(left_out), "{error}");
        }
    }
}
