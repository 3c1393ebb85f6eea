use std::error::Error;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use internal_notifications_models::{Head, InvalidPush, Problem};

use crate::auth::{AuthError, Refusal};
use crate::health::Unready;
use crate::store::{StoreError, StoreErrorKind};

/// The kinds of problems that routes answer. The slug ends the problem's `type`,
/// `urn:internal-notifications:SLUG`, which is stable.
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
    TooManyRequests,
    Internal,
    Unavailable,
}

impl Kind {
    /// Returns the last part of the problem's `type`.
    pub(crate) const fn slug(self) -> &'static str {
        self.describe().1
    }

    /// Returns the status, the slug and the title.
    const fn describe(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed", "The request cannot be parsed"),
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "A valid credential is required")
            }
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "forbidden", "The credential does not permit this request")
            }
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "no-such-route", "Nothing is served at this path"),
            Self::UnknownNotification => {
                (StatusCode::NOT_FOUND, "unknown-notification", "There is no such notification")
            }
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This path does not support this method",
            ),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "The request did not arrive in time"),
            Self::IdTaken => (
                StatusCode::CONFLICT,
                "id-taken",
                "The id belongs to a notification with another body or sender",
            ),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The idempotency key belongs to another request",
            ),
            Self::Expired => (StatusCode::UNPROCESSABLE_ENTITY, "expired", "The notification has expired"),
            Self::Diverged => {
                (StatusCode::CONFLICT, "diverged", "The inbox has a different history than the client")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large"),
            Self::Misdirected => {
                (StatusCode::MISDIRECTED_REQUEST, "misdirected", "This server does not serve that host")
            }
            Self::Invalid => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request contains an invalid value")
            }
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "The caller has too many unfinished requests",
            ),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server cannot handle the request now")
            }
        }
    }
}

/// An error that a route answers.
#[derive(Debug)]
pub(crate) struct ApiError {
    kind: Kind,
    detail: Option<String>,
    head: Option<Head>,
    /// Logged, but never sent to the caller.
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// Longer details, which may repeat what the caller sent, are cut.
const DETAIL_CHARS: usize = 300;

impl ApiError {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::bare(kind) }
    }

    /// Returns an error without a `detail`.
    pub(crate) fn bare(kind: Kind) -> Self {
        Self { kind, detail: None, head: None, cause: None }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
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

    pub(crate) fn with_cause(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
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
        let (kind, detail) = match error.kind() {
            StoreErrorKind::DiskFull => (Kind::Unavailable, Some("the disk is full")),
            StoreErrorKind::ReadOnly => (Kind::Unavailable, Some("the database is read-only")),
            StoreErrorKind::IdTaken => (Kind::IdTaken, None),
            StoreErrorKind::KeyReused => (Kind::KeyReused, None),
            StoreErrorKind::Expired => (Kind::Expired, None),
            StoreErrorKind::Diverged => (Kind::Diverged, None),
            StoreErrorKind::NotFound => (Kind::UnknownNotification, None),
            StoreErrorKind::Unavailable => (Kind::Unavailable, None),
            _ => (Kind::Internal, None),
        };
        let (detail, head) = (detail.map(str::to_owned), error.head());
        Self { kind, detail, head, cause: Some(error.into()) }
    }
}

impl From<Unready> for ApiError {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Problem(problem) => Self::new(Kind::Unavailable, problem),
            Unready::Store(error) => error.into(),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthenticated(reason) => Self::new(Kind::Unauthenticated, reason),
            AuthError::Unavailable(cause) => Self::bare(Kind::Unavailable).with_cause(cause),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forbidden(reason) => Self::forbidden(reason),
            Refusal::Invalid(reason) => Self::invalid(reason),
            Refusal::Unavailable(cause) => Self::bare(Kind::Unavailable).with_cause(cause),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.describe();
        let error = self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static));
        match self.kind {
            Kind::Internal => tracing::error!(error, "a request failed"),
            Kind::Unavailable => tracing::warn!(error, "a request cannot be handled now"),
            _ => {}
        }
        let mut problem =
            Problem::new(status.as_u16(), title).with_kind(format!("{}{slug}", Problem::NAMESPACE));
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
            Kind::TooManyRequests | Kind::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
