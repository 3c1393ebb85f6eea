use std::any::Any;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tower::{Layer, Service};
use tracing::Instrument;

use super::{hosts, panics};
use crate::http::AppState;
use crate::http::problem::{ApiError, Kind};
use crate::metrics;

pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request an id, a time-out, a log span and metrics, and every answer headers against
/// caching and content sniffing. Rejects other hosts, and answers for handlers that panic.
///
/// It is one layer because each costs a request several allocations in axum.
#[derive(Clone)]
pub(in crate::http) struct Surround(pub(in crate::http) Arc<AppState>);

/// A route with what surrounds it.
#[derive(Clone)]
pub(in crate::http) struct Surrounded<S> {
    app: Arc<AppState>,
    service: S,
}

impl<S> Layer<S> for Surround {
    type Service = Surrounded<S>;

    fn layer(&self, service: S) -> Surrounded<S> {
        Surrounded { app: self.0.clone(), service }
    }
}

impl<S> Service<Request> for Surrounded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (app, started) = (self.app.clone(), Instant::now());
        let id = incoming_id(&request).or_else(|| HeaderValue::try_from(app.ids.next_id()).ok());
        let span = tracing::debug_span!(
            "request",
            request.id = id.as_ref().and_then(|id| id.to_str().ok()),
            http.method = %request.method(),
            url.path = request.uri().path(),
        );
        let (method, route) = (request.method().clone(), request.extensions().get::<MatchedPath>().cloned());
        let answer = hosts::check(&app.config, &request).map(|()| begin(&mut self.service, request));
        let answer = async move {
            let mut response = match answer {
                Ok(Ok(answer)) => in_time(answer, app.config.limits.request_timeout).await,
                Ok(Err(panic)) => panics::answer(panic),
                Err(error) => error.into_response(),
            };
            tracing::debug!(http.status = response.status().as_u16(), "answered a request");
            app.metrics.answered(metrics::Request {
                method,
                route,
                status: response.status().as_u16(),
                problem: response.extensions().get::<Kind>().map(|kind| kind.slug()),
                took: started.elapsed(),
            });
            let headers = response.headers_mut();
            if let Some(id) = id {
                headers.insert(REQUEST_ID, id);
            }
            headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            Ok(response)
        };
        Box::pin(answer.instrument(span))
    }
}

/// Passes a request to a route, which may panic already before it returns its future.
fn begin<S: Service<Request>>(service: &mut S, request: Request) -> Result<S::Future, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| service.call(request)))
}

/// Returns the answer of a route or, if it panics or takes too long, a problem.
async fn in_time(answer: impl Future<Output = Result<Response, Infallible>>, limit: Duration) -> Response {
    match timeout(limit, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(panic)) => panics::answer(panic),
        Err(_) => ApiError::bare(Kind::Unavailable).with_cause("the request took too long").into_response(),
    }
}

/// Returns the id that the caller or a proxy chose, if it is safe to log.
fn incoming_id(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    let bytes = id.as_bytes();
    (1..=128).contains(&bytes.len()).then_some(())?;
    bytes.iter().all(plain).then(|| id.clone())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    struct Panicking;

    impl Service<Request> for Panicking {
        type Response = Response;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request) -> Self::Future {
            panic!("planned")
        }
    }

    #[test]
    fn a_panic_before_the_future_is_caught_too() {
        let panic = begin(&mut Panicking, Request::new(Body::empty())).err();
        assert_eq!(panics::answer(panic.unwrap()).status(), 500);
    }
}
