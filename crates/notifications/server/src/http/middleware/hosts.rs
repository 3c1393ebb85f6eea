use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::{ApiError, Kind};

/// Lets only requests in that are meant for this server.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match hosts_of(&request) {
        Err(error) => error.into_response(),
        Ok(hosts) if hosts.iter().all(|host| app.hosts.allows(host)) => next.run(request).await,
        Ok(_) => ApiError::bare(Kind::Misdirected).into_response(),
    }
}

/// The Host header, and the authority of a request whose target is a whole URL.
fn hosts_of(request: &Request) -> Result<Vec<&str>, ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(ApiError::malformed("one Host header is needed"));
    };
    let host = host.to_str().map_err(|_| ApiError::malformed("the Host header cannot be read"))?;
    let authority = request.uri().authority().map(|authority| authority.as_str());
    Ok(std::iter::once(host).chain(authority).collect())
}
