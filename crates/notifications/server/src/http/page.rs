//! The inbox page at `/`. `web/` builds it into the folder `page`, and it is embedded from there.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

use super::problem::{ApiError, Kind};
use crate::realtime::ClientAddress;

#[derive(Embed)]
#[folder = "page"]
struct Page;

/// The page of a build without `web/`.
const NOT_BUILT: &str = include_str!("page/not_built.html");

/// Returns the routes of the page and its assets.
pub(super) fn routes(address: &ClientAddress) -> Router {
    let policy = HeaderValue::try_from(policy(address)).ok();
    Router::new().route("/", get(|| async move { index(policy) })).route("/assets/{name}", get(asset))
}

fn index(policy: Option<HeaderValue>) -> Response {
    // Without its policy, the page is not served.
    let Some(policy) = policy else {
        return ApiError::bare(Kind::Internal)
            .with_cause("the page's Content-Security-Policy is not a valid header")
            .into_response();
    };
    let html = match Page::get("dist/index.html") {
        Some(file) => file.data,
        None => NOT_BUILT.as_bytes().into(),
    };
    let page = answer(html, "text/html; charset=utf-8", "no-cache");
    ([(CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

/// Serves an asset. Asset names contain a hash of the content, so that they can be cached for ever.
async fn asset(Path(name): Path<String>) -> Response {
    let kind = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => return ApiError::bare(Kind::NoSuchRoute).into_response(),
    };
    match Page::get(&format!("dist/assets/{name}")) {
        Some(EmbeddedFile { data, .. }) => answer(data, kind, "public, max-age=31536000, immutable"),
        None => ApiError::bare(Kind::NoSuchRoute).into_response(),
    }
}

fn answer(body: std::borrow::Cow<'static, [u8]>, kind: &'static str, cache: &'static str) -> Response {
    const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, cache),
        (REFERRER_POLICY, "no-referrer"),
        (OPENER_POLICY, "same-origin"),
    ];
    (headers, body).into_response()
}

/// Returns the page's Content-Security-Policy: scripts and styles from this server only, images
/// from anywhere, connections to this server and to the Channels engine.
fn policy(address: &ClientAddress) -> String {
    let mut policy = String::from(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; connect-src 'self'",
    );
    // Writing to a `String` cannot fail.
    let _ = match address {
        ClientAddress::SameServer => Ok(()),
        ClientAddress::Cluster(cluster) => write!(policy, " wss://ws-{cluster}.pusher.com"),
        ClientAddress::Host(endpoint) => {
            let scheme = if endpoint.scheme.as_str() == "https" { "wss" } else { "ws" };
            write!(policy, " {scheme}://{}:{}", endpoint.host_in_url(), endpoint.port)
        }
    };
    policy
}
