use pusher_signer::{Request, Signer};
use reqwest::{Method, Url};

use crate::Error;

/// A request to the HTTP API, before it is signed.
pub(super) struct ApiRequest<'q> {
    pub(super) path: String,
    pub(super) query: Vec<(&'q str, String)>,
    /// The body of a POST; a GET has none.
    pub(super) body: Option<Vec<u8>>,
    pub(super) retry_when: RetryWhen,
}

/// The failures after which a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryWhen {
    /// All temporary failures: the request is idempotent.
    Temporary,
    /// Failures that prove that the server did not process the request.
    NotProcessed,
}

impl ApiRequest<'_> {
    pub(super) fn method(&self) -> Method {
        if self.body.is_some() { Method::POST } else { Method::GET }
    }

    /// Returns the URL with the signed query. `now` is in Unix seconds.
    pub(super) fn signed_url(&self, base: &str, signer: &Signer, now: u64) -> Result<Url, Error> {
        let mut url = Url::parse(&format!("{base}{}", self.path)).map_err(|error| {
            Error::configuration("the URL of the HTTP API is malformed").with_cause(error)
        })?;
        // A prefix in the base is not signed: what removes it is in front of the server.
        if !url.path().ends_with(&self.path) || url.query().is_some() || url.fragment().is_some() {
            let message = "the path has a segment . or .., or characters that must be percent-encoded";
            return Err(Error::limit(message));
        }
        let query: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (method, body) = (self.method(), self.body.as_deref());
        let request = Request::new(method.as_str(), &self.path).with_query(&query).with_body(body);
        let query = signer
            .sign_request(&request, now)
            .map_err(|error| Error::configuration("the request cannot be signed").with_cause(error))?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::ErrorKind;

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
        let file: Value = serde_json::from_str(include_str!("../../tests/vectors/rest.json")).unwrap();
        serde_json::from_value(file["requests"].clone()).unwrap()
    }

    #[test]
    fn every_published_request_is_reproduced_with_its_signature() {
        let (mut made, all) = (0, vectors());
        assert_eq!(all.len(), 25);
        for vector in all {
            // The rest are a POST without a body and a GET with one, which the API does not have.
            let is_post = vector.method == "POST";
            if is_post != vector.body.is_some() || is_post != vector.body_md5.is_some() {
                continue;
            }
            let own = |name: &&String| !name.starts_with("auth_");
            let query = vector.query.iter().filter(|(name, _)| own(name));
            let request = ApiRequest {
                path: vector.path.clone(),
                query: query.map(|(name, value)| (&*name.clone().leak(), value.clone())).collect(),
                body: vector.body.map(String::into_bytes),
                retry_when: RetryWhen::Temporary,
            };
            let signer = Signer::new(vector.key, &vector.secret);
            let now = vector.query["auth_timestamp"].parse().unwrap();
            let url = request.signed_url("https://host", &signer, now).unwrap();
            let sent: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
            assert_eq!(sent["auth_signature"], vector.auth_signature, "{}", vector.path);
            assert_eq!(
                (request.method().as_str(), url.path()),
                (vector.method.as_str(), vector.path.as_str())
            );
            assert!(vector.query.iter().all(|(name, value)| sent[name] == *value), "{url}");
            made += 1;
        }
        assert_eq!(made, 20);
    }

    #[test]
    fn a_prefix_is_part_of_the_url_and_not_signed() {
        let request = ApiRequest {
            path: "/apps/1/channels".to_owned(),
            query: Vec::new(),
            body: None,
            retry_when: RetryWhen::Temporary,
        };
        let url = |base: &str| request.signed_url(base, &Signer::new("k", "s"), 1).unwrap();
        let (plain, prefixed) = (url("https://host"), url("https://host/realtime"));
        assert_eq!(prefixed.path(), "/realtime/apps/1/channels");
        assert_eq!(prefixed.query(), plain.query());
    }

    #[test]
    fn a_name_that_would_change_the_path_is_rejected() {
        for name in [".", ".."] {
            let request = ApiRequest {
                path: format!("/apps/1/channels/{name}"),
                query: Vec::new(),
                body: None,
                retry_when: RetryWhen::Temporary,
            };
            let error = request.signed_url("https://host", &Signer::new("k", "s"), 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
        }
    }
}
