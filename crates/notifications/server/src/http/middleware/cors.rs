use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::surround::REQUEST_ID;
use crate::config::Origin;

/// Lets web front ends of these origins call the routes and read their answers.
pub(in crate::http) fn layer(origins: &[Origin]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().filter_map(Origin::header)))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            REQUEST_ID,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-socket-id"),
            HeaderName::from_static("x-requested-with"),
            HeaderName::from_static("x-csrf-token"),
        ])
        .expose_headers([REQUEST_ID, RETRY_AFTER])
        .max_age(Duration::from_secs(600))
}
