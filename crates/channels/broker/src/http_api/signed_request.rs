use std::borrow::Cow;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};

use super::ApiError;
use super::body::{self, Body};
use crate::broker::Broker;

/// A request whose signature by the app's secret was verified.
pub(super) struct SignedRequest {
    uri: Uri,
    pub(super) body: Body,
}

impl SignedRequest {
    /// Verifies a request and reads its body.
    ///
    /// # Errors
    /// Returns an error if the app is unknown, the broker is shutting down, the signature is wrong,
    /// or the body is too long, too late or unreadable.
    pub(super) async fn verify(broker: &Broker, app_id: &str, request: Request) -> Result<Self, ApiError> {
        if app_id != broker.shared.app_id {
            return Err(ApiError(StatusCode::NOT_FOUND, "No app has this id".to_owned()));
        }
        if broker.shared.registry.is_closed() {
            let text = "The server is shutting down".to_owned();
            return Err(ApiError(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        let (Parts { method, uri, .. }, body) = request.into_parts();
        let query: Vec<_> = parameters(&uri).collect();
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        let head = pusher_signer::Request::new(method.as_str(), uri.path()).with_query(&query);
        // Reject wrong signatures before reading the body.
        let expected = broker.shared.signer.verify_request_head(&head, (broker.shared.clock)().as_secs())?;
        let body = body::read(broker, body).await?;
        expected.verify(&body)?;
        Ok(Self { uri, body })
    }

    /// Returns the value of a query parameter.
    pub(super) fn parameter(&self, wanted: &str) -> Option<Cow<'_, str>> {
        parameters(&self.uri).find(|(name, _)| name == wanted).map(|(_, value)| value)
    }
}

/// Returns the decoded parameters of a query. Those without escapes are borrowed without decoding:
/// `form_urlencoded` would look at each of their characters three times.
fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let parts = uri.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    parts.filter_map(|part| {
        let bytes = part.as_bytes();
        if bytes.contains(&b'%') || bytes.contains(&b'+') {
            return form_urlencoded::parse(bytes).next();
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Some((name.into(), value.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_as_a_form_is() {
        for query in [
            "",
            "a=b&c=d",
            "&&a=b&",
            "a",
            "a=",
            "=b",
            "=",
            "a=b=c",
            "a+b=c+d",
            "a%3Db=%26&c=d",
            "a=%zz%",
            "a=%ff",
            "info=user_count,subscription_count&filter_by_prefix=presence-",
        ] {
            let uri = Uri::try_from(format!("/apps/17/events?{query}")).unwrap();
            let decoded: Vec<_> = parameters(&uri).collect();
            assert_eq!(decoded, form_urlencoded::parse(query.as_bytes()).collect::<Vec<_>>(), "{query}");
        }
    }
}
