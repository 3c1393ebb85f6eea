//! The responses of the routes that are not models.

use internal_notifications_models::Problem;
use utoipa::{IntoResponses, ToSchema};

/// The errors of every authenticated route. `default` covers those that any route can answer: 400,
/// 408, 413, 421, 500 and 503.
#[derive(IntoResponses)]
#[allow(dead_code)] // Only described.
pub(in crate::http) enum Rejected {
    /// The credential is missing or not valid.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The credential does not permit this request.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// The request contains an invalid value.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// The caller has too many unfinished requests.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// Any other error.
    #[response(status = "default", content_type = "application/problem+json")]
    Other(Problem),
}

/// The error for an unknown notification.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such notification.",
    content_type = "application/problem+json"
)]
#[allow(dead_code)] // Only described.
pub(in crate::http) struct NotFound(Problem);

/// The error of a server that cannot work now.
#[derive(IntoResponses)]
#[response(
    status = 503,
    description = "The server has stopped, or the store cannot be used now.",
    content_type = "application/problem+json"
)]
#[allow(dead_code)] // Only described.
pub(in crate::http) struct Unavailable(Problem);

/// The authorization of a channel: [`pusher_signer::ChannelAuthorization`].
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub(in crate::http) struct ChannelSignature {
    /// `KEY:SIGNATURE`.
    auth: String,
}

/// The authentication of a user: [`pusher_signer::UserAuthentication`].
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
pub(in crate::http) struct UserSignature {
    /// `KEY:SIGNATURE`.
    auth: String,
    /// JSON: `{"id":"USER"}`.
    user_data: String,
}
