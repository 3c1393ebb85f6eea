use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::config::Config;
use crate::http::AppState;
use crate::http::problem::{ApiError, Kind};

/// Rejects requests whose host is not one of this server's.
pub(in crate::http) async fn check(
    State(app): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    match hosts_of(&request) {
        Err(error) => error.into_response(),
        Ok(hosts) if hosts.iter().all(|host| accepts(&app.config, host)) => next.run(request).await,
        Ok(_) => ApiError::bare(Kind::Misdirected).into_response(),
    }
}

fn accepts(config: &Config, host: &str) -> bool {
    config.allowed_hosts.as_ref().is_none_or(|hosts| hosts.allows(host))
}

/// Returns the Host header and, if the request's target is an absolute URL, its authority.
fn hosts_of(request: &Request) -> Result<Vec<&str>, ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(ApiError::malformed("exactly one Host header is required"));
    };
    let host = host.to_str().map_err(|_| ApiError::malformed("the Host header is not visible ASCII"))?;
    let authority = request.uri().authority().map(|authority| authority.as_str());
    Ok(std::iter::once(host).chain(authority).collect())
}
