use std::time::{SystemTime, UNIX_EPOCH};

use axum_core::extract::rejection::BytesRejection;
use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::{ReceivedWebhook, Webhook, WebhookReceiver};
use crate::error::{Error, ErrorKind};

/// The response to a request that is not a verified [`Webhook`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRejection {
    /// The body could not be read, or is larger than axum's `DefaultBodyLimit`.
    #[error("the body of the webhook could not be read")]
    Body(#[source] BytesRejection),
    /// The webhook was rejected: 415 for its content type, 400 for its body, otherwise 401.
    #[error("the webhook was rejected")]
    Rejected(#[source] Error),
}

impl<S> FromRequest<S> for Webhook
where
    WebhookReceiver: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookRejection> {
        let headers = request.headers().clone();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let body = Bytes::from_request(request, state).await.map_err(WebhookRejection::Body)?;
        let received = ReceivedWebhook::new(&body)
            .with_content_type(header(CONTENT_TYPE.as_str()))
            .with_key(header("x-pusher-key"))
            .with_signature(header("x-pusher-signature"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let receiver = WebhookReceiver::from_ref(state);
        receiver
            .receive(&received, u64::try_from(now).unwrap_or(u64::MAX))
            .map_err(WebhookRejection::Rejected)
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Body(rejection) => return rejection.into_response(),
            Self::Rejected(error) => error,
        };
        let status = match error.kind() {
            ErrorKind::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorKind::WebhookBody => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        (status, error.to_string()).into_response()
    }
}
