use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use internal_notifications_models::{Head, InvalidPush, Problem};

use crate::store::{StoreError, StoreErrorKind};

/// Every kind of problem that a route answers. The slug ends its `type`, `urn:internal-notifications:SLUG`, which is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    Unauthenticated,
    Forbidden,
    NoSuchRoute,
    UnknownNotification,
    MethodNotAllowed,
    TooSlow,
    IdTaken,
    KeyReused,
    Expired,
    Diverged,
    TooLarge,
    Misdirected,
    Invalid,
    Internal,
    Unavailable,
}

impl Kind {
    /// The end of its type.
    pub(crate) const fn slug(self) -> &'static str {
        self.row().1
    }

    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed", "The request cannot be read"),
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "A valid credential is needed")
            }
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "forbidden", "The credential is good, but not for this")
            }
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "no-such-route", "There is nothing at this path"),
            Self::UnknownNotification => {
                (StatusCode::NOT_FOUND, "unknown-notification", "There is no such notification")
            }
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This path has no such method")
            }
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The request did not arrive in time"),
            Self::IdTaken => {
                (StatusCode::CONFLICT, "id-taken", "The id belongs to another body or another sender")
            }
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The idempotency key belongs to another request",
            ),
            Self::Expired => (StatusCode::UNPROCESSABLE_ENTITY, "expired", "The notification has expired"),
            Self::Diverged => (StatusCode::CONFLICT, "diverged", "The inbox has another history than yours"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large"),
            Self::Misdirected => {
                (StatusCode::MISDIRECTED_REQUEST, "misdirected", "This server does not answer to that host")
            }
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not allowed"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server cannot do it now")
            }
        }
    }
}

/// An error as a route answers it.
#[derive(Debug)]
pub(crate) struct ApiError {
    kind: Kind,
    detail: Option<String>,
    head: Option<Head>,
    /// For the log, never for the caller.
    cause: Option<String>,
}

/// A detail may repeat what the caller sent; longer ones are cut.
const DETAIL_CHARS: usize = 300;

impl ApiError {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), head: None, cause: None }
    }

    pub(crate) fn bare(kind: Kind) -> Self {
        Self { kind, detail: None, head: None, cause: None }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    pub(crate) fn may_not_push() -> Self {
        Self::forbidden("pushing needs an API key, or a token with the scope notifications:push")
    }

    fn unavailable(detail: &str, error: &StoreError) -> Self {
        Self::new(Kind::Unavailable, detail).with_cause(error.to_string())
    }

    pub(crate) fn with_cause(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

impl From<InvalidPush> for ApiError {
    fn from(error: InvalidPush) -> Self {
        let kind = match error {
            InvalidPush::TooLarge(_) => Kind::TooLarge,
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            StoreErrorKind::DiskFull => return Self::unavailable("the disk is full", &error),
            StoreErrorKind::ReadOnly => return Self::unavailable("the database is read-only", &error),
            StoreErrorKind::IdTaken => Kind::IdTaken,
            StoreErrorKind::KeyReused => Kind::KeyReused,
            StoreErrorKind::Expired => Kind::Expired,
            StoreErrorKind::Diverged => Kind::Diverged,
            StoreErrorKind::NotFound => Kind::UnknownNotification,
            StoreErrorKind::Unavailable => Kind::Unavailable,
            _ => Kind::Internal,
        };
        Self { head: error.head(), ..Self::bare(kind).with_cause(error.to_string()) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.row();
        let cause = self.cause.as_deref().unwrap_or(title);
        match self.kind {
            Kind::Internal => tracing::error!(error = cause, "a request failed"),
            Kind::Unavailable => tracing::warn!(error = cause, "a request cannot be served now"),
            _ => {}
        }
        let mut problem =
            Problem::new(status.as_u16(), title).with_kind(format!("urn:internal-notifications:{slug}"));
        problem.detail = self.detail.map(|detail| detail.chars().take(DETAIL_CHARS).collect());
        problem.head = self.head;
        let mut response = (status, Json(problem)).into_response();
        response.extensions_mut().insert(self.kind);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.kind {
            Kind::Unauthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Kind::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
