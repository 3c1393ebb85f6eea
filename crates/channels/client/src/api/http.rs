use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pusher_signer::Signer;
use reqwest::header::{CONTENT_TYPE, HeaderName};

use super::request::{ApiRequest, RetryWhen};
use super::response;
use super::retry::Retry;
use crate::Error;

/// The library's name and version, as Pusher's own libraries send them.
const LIBRARY: HeaderName = HeaderName::from_static("x-pusher-library");

/// Signs and sends requests, and retries them.
#[derive(Clone)]
pub(super) struct Http {
    pub(super) client: reqwest::Client,
    /// The URL before the path.
    pub(super) base: String,
    pub(super) signer: Signer,
    pub(super) retry: Retry,
}

struct Failure {
    error: Error,
    /// Whether the server certainly did not process the request, and may do so later.
    not_processed: bool,
}

impl Http {
    /// Sends a request until it succeeds or must not be sent again, and returns the body of the
    /// response.
    pub(super) async fn send(&self, request: &ApiRequest<'_>) -> Result<Vec<u8>, Error> {
        let mut attempt = 1;
        loop {
            let Failure { error, not_processed } = match self.attempt(request).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let may_retry = match request.retry_when {
                RetryWhen::Temporary => error.is_retryable(),
                RetryWhen::NotProcessed => not_processed,
            };
            let Some(delay) = self.retry.delay_after(attempt).filter(|_| may_retry) else {
                return Err(error);
            };
            log_retry(request, attempt, delay, &error);
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, request: &ApiRequest<'_>) -> Result<Vec<u8>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let url = request.signed_url(&self.base, &self.signer, now).map_err(Failure::permanent)?;
        let mut builder = self
            .client
            .request(request.method(), url)
            .header(LIBRARY, concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")));
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = builder.send().await.map_err(|error| {
            let not_processed = error.is_connect();
            Failure { error: response::unreachable(error), not_processed }
        })?;
        if response.status().is_success() {
            return response::body(response).await.map_err(Failure::permanent);
        }
        let error = response::rejection(response).await;
        // After any other server error, the server may have published before it failed.
        let not_processed = matches!(error.code(), Some(429 | 503));
        Err(Failure { error, not_processed })
    }
}

fn log_retry(request: &ApiRequest<'_>, attempt: u32, delay: Duration, error: &Error) {
    let error: &dyn std::error::Error = error;
    tracing::debug!(http.path = request.path, attempt, ?delay, error, "retrying a request to the Pusher API");
}

impl Failure {
    fn permanent(error: Error) -> Self {
        Self { error, not_processed: false }
    }
}
