use std::time::{SystemTime, UNIX_EPOCH};

use pusher_signer::{Request, Signer};
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Method, Url};

use super::answer;
use super::client::HttpApi;
use super::trigger::limit;
use crate::{Error, ErrorKind};

/// The library's name and version, as Pusher's own libraries send them.
const LIBRARY: HeaderName = HeaderName::from_static("x-pusher-library");

/// One call of the API, as often as it is sent.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    /// A POST's; a GET has none.
    pub(super) body: Option<Vec<u8>>,
    pub(super) repeat: Repeat,
}

/// When a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Whenever it may succeed: twice is as good as once.
    Freely,
    /// When it certainly was not carried out.
    IfUndone,
}

struct Failure {
    error: Error,
    /// Whether the call certainly was not carried out, and may be later.
    undone: bool,
}

impl HttpApi {
    /// Sends the call until it succeeds or may not be sent again; the answer's body.
    pub(super) async fn send(&self, call: &Call) -> Result<Vec<u8>, Error> {
        let mut attempt = 1;
        loop {
            let Failure { error, undone } = match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let again = match call.repeat {
                Repeat::Freely => error.is_retryable(),
                Repeat::IfUndone => undone,
            };
            let Some(wait) = self.retry.wait_after(attempt).filter(|_| again) else { return Err(error) };
            tracing::debug!(path = call.path, attempt, %error, "a call of the HTTP API is sent again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let url = call.signed_url(&self.base, &self.signer, now).map_err(Failure::final_one)?;
        let mut request = self
            .client
            .request(call.method(), url)
            .header(LIBRARY, concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")));
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let answer = request.send().await.map_err(|error| Failure {
            error: answer::unreachable_server(&error),
            undone: error.is_connect(),
        })?;
        if answer.status().is_success() {
            return answer::body(answer).await.map_err(Failure::final_one);
        }
        let error = answer::refusal(answer).await;
        // After any other failure of the server, it may have published before it failed.
        let undone = matches!(error.code(), Some(429 | 503));
        Err(Failure { error, undone })
    }
}

impl Call {
    fn method(&self) -> Method {
        if self.body.is_some() { Method::POST } else { Method::GET }
    }

    fn signed_url(&self, base: &str, signer: &Signer, now: u64) -> Result<Url, Error> {
        let query: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (method, body) = (self.method(), self.body.as_deref());
        let request = Request::new(method.as_str(), &self.path).with_query(&query).with_body(body);
        let query = signer
            .sign_request(&request, now)
            .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
        let mut url = Url::parse(&format!("{base}{}", self.path))
            .map_err(|_| Error::new(ErrorKind::Configuration, "the HTTP API's URL cannot be built"))?;
        if url.path() != self.path {
            return Err(limit("a channel or user named with dots alone does not stand in a path"));
        }
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }
}

impl Failure {
    fn final_one(error: Error) -> Self {
        Self { error, undone: false }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        key: String,
        secret: String,
        method: String,
        path: String,
        query: BTreeMap<String, String>,
        body: Option<String>,
        body_md5: Option<String>,
        auth_signature: String,
    }

    fn vectors() -> Vec<Vector> {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/vectors/rest.json")).unwrap();
        serde_json::from_value(file["requests"].clone()).unwrap()
    }

    #[test]
    fn every_published_request_of_the_api_is_made_with_its_signature() {
        let (mut made, all) = (0, vectors());
        assert_eq!(all.len(), 25);
        for vector in all {
            // The others are a POST without a body and a GET with one: no call of the API.
            let is_post = vector.method == "POST";
            if is_post != vector.body.is_some() || is_post != vector.body_md5.is_some() {
                continue;
            }
            let own = |name: &&String| !name.starts_with("auth_");
            let query = vector.query.iter().filter(|(name, _)| own(name));
            let call = Call {
                path: vector.path.clone(),
                query: query.map(|(name, value)| (&*name.clone().leak(), value.clone())).collect(),
                body: vector.body.map(String::into_bytes),
                repeat: Repeat::Freely,
            };
            let signer = Signer::new(vector.key, &vector.secret);
            let now = vector.query["auth_timestamp"].parse().unwrap();
            let url = call.signed_url("https://host", &signer, now).unwrap();
            let sent: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
            assert_eq!(sent["auth_signature"], vector.auth_signature, "{}", vector.path);
            assert_eq!((call.method().as_str(), url.path()), (vector.method.as_str(), vector.path.as_str()));
            assert!(vector.query.iter().all(|(name, value)| sent[name] == *value), "{url}");
            made += 1;
        }
        assert_eq!(made, 20);
    }

    #[test]
    fn a_name_that_would_change_the_path_is_refused() {
        for name in [".", ".."] {
            let call = Call {
                path: format!("/apps/1/channels/{name}"),
                query: Vec::new(),
                body: None,
                repeat: Repeat::Freely,
            };
            let error = call.signed_url("https://host", &Signer::new("k", "s"), 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
        }
    }
}
