use axum::extract::Request;
use axum::http::header::HOST;

use crate::config::Config;
use crate::http::problem::{ApiError, Kind};

/// Rejects a request whose host is not one of this server's: neither the Host header nor, if the
/// request's target is an absolute URL, its authority may name another.
pub(super) fn check(config: &Config, request: &Request) -> Result<(), ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(ApiError::malformed("exactly one Host header is required"));
    };
    let host = host.to_str().map_err(|_| ApiError::malformed("the Host header is not visible ASCII"))?;
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let allows = |host| config.allowed_hosts.as_ref().is_none_or(|hosts| hosts.allows(host));
    match std::iter::once(host).chain(authority).all(allows) {
        true => Ok(()),
        false => Err(ApiError::bare(Kind::Misdirected)),
    }
}
