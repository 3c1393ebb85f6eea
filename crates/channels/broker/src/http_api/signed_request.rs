use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::ApiError;
use super::body::{self, Body};
use crate::broker::Broker;

/// A request whose signature by the app's secret was verified.
pub(super) struct SignedRequest {
    query: Vec<(String, String)>,
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
        let (parts, body) = request.into_parts();
        // A malformed query has no signature and is rejected below.
        let query: Vec<(String, String)> =
            serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        // Reject wrong signatures before reading the body. The signature covers `body_md5`, which
        // is compared with the body afterwards.
        match verify(broker, &parts, &query, None) {
            Err(error) if error.kind() != pusher_signer::ErrorKind::BodyMd5 => return Err(error.into()),
            _ => {}
        }
        let body = body::read(broker, body).await?;
        verify(broker, &parts, &query, Some(&body))?;
        Ok(Self { query, body })
    }

    /// Returns the value of a query parameter.
    pub(super) fn parameter(&self, wanted: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

fn verify(
    broker: &Broker,
    parts: &Parts,
    query: &[(String, String)],
    body: Option<&[u8]>,
) -> Result<(), pusher_signer::Error> {
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request = pusher_signer::Request::new(parts.method.as_str(), parts.uri.path())
        .with_query(&query)
        .with_body(body);
    broker.shared.signer.verify_request(&request, (broker.shared.clock)().as_secs())
}
