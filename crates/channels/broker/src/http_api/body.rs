use std::ops::Deref;
use std::sync::Arc;

use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::ApiError;
use crate::broker::Broker;

/// The body of a request, which counts towards [`Limits::buffered_bytes`] until it is dropped.
///
/// [`Limits::buffered_bytes`]: crate::Limits::buffered_bytes
#[derive(Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    permit: Option<OwnedSemaphorePermit>,
}

/// Reads a body.
///
/// # Errors
/// Returns an error if the body is too long, too late or unreadable, or if there is no memory for
/// it.
pub(super) async fn read(broker: &Broker, body: axum::body::Body) -> Result<Body, ApiError> {
    let limits = &broker.shared.limits;
    let read = read_all(body, limits.body_bytes, &broker.shared.room.body_memory);
    timeout(limits.body_timeout, read).await.unwrap_or_else(|_| {
        Err(ApiError(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time".to_owned()))
    })
}

async fn read_all(
    mut body: axum::body::Body,
    limit: usize,
    memory: &Arc<Semaphore>,
) -> Result<Body, ApiError> {
    let mut read = Body::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("The body could not be read"))?;
        let Ok(data) = frame.into_data() else { continue };
        let needed = read.bytes.len() + data.len();
        if needed > limit {
            let text = format!("The body exceeds the allowed maximum ({limit} bytes)");
            return Err(ApiError(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        if needed > read.bytes.capacity() {
            read.reserve(needed.max(read.bytes.capacity().saturating_mul(2).min(limit)), memory)?;
        }
        read.bytes.extend_from_slice(&data);
    }
    Ok(read)
}

impl Body {
    fn reserve(&mut self, capacity: usize, memory: &Arc<Semaphore>) -> Result<(), ApiError> {
        let more = u32::try_from(capacity - self.bytes.capacity()).unwrap_or(u32::MAX);
        let Ok(permit) = memory.clone().try_acquire_many_owned(more) else {
            let text = "Too many bodies are being received".to_owned();
            return Err(ApiError(StatusCode::SERVICE_UNAVAILABLE, text));
        };
        match &mut self.permit {
            Some(all) => all.merge(permit),
            None => self.permit = Some(permit),
        }
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
