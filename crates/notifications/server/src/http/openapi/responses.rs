//! What the routes answer, beside the models.

use internal_notifications_models::Problem;
use utoipa::{IntoResponses, ToSchema};

/// Why an authenticated route did not do it. `default` stands for what surrounds every route: 400, 408, 413, 421, 500, 503.
#[derive(IntoResponses)]
#[allow(dead_code)] // Described, never made.
pub(in crate::http) enum Refused {
    /// Without a credential, or with a bad one.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The credential is good, but not for this.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// What the request holds is not allowed.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// Any other refusal.
    #[response(status = "default", content_type = "application/problem+json")]
    Other(Problem),
}

/// There is nothing of that name.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such notification.",
    content_type = "application/problem+json"
)]
#[allow(dead_code)] // Described, never made.
pub(in crate::http) struct NotFound(Problem);

/// The server cannot do it now.
#[derive(IntoResponses)]
#[response(status = 503, description = "It cannot.", content_type = "application/problem+json")]
#[allow(dead_code)] // Described, never made.
pub(in crate::http) struct Failed(Problem);

/// A channel's authorization: [`pusher_signer::ChannelAuthorization`].
#[derive(ToSchema)]
#[allow(dead_code)] // Described, never made.
pub(in crate::http) struct Signed {
    /// `KEY:SIGNATURE`.
    auth: String,
}

/// A user's authentication: [`pusher_signer::UserAuthentication`].
#[derive(ToSchema)]
#[allow(dead_code)] // Described, never made.
pub(in crate::http) struct SignedIn {
    /// `KEY:SIGNATURE`.
    auth: String,
    /// JSON: `{"id":"USER"}`.
    user_data: String,
}
