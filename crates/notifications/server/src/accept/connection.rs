use std::error::Error;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::lingering::Lingering;
use super::write_timeout::WriteTimeout;
use crate::config::Limits;

/// The smallest buffer that hyper accepts.
const MIN_HEAD_BYTES: usize = 8 * 1024;

/// Serves one connection until it ends or, once `stop` is cancelled, until its current request
/// ends.
pub(super) async fn serve(stream: TcpStream, router: Router, limits: Limits, stop: CancellationToken) {
    // Without it, small live events would be delayed.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(WriteTimeout::new(Lingering::new(stream), limits.write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes.max(MIN_HEAD_BYTES))
        .serve_connection(io, TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Caused by the client: a time-out, a reset, or something other than HTTP.
        tracing::debug!(error = &error as &dyn Error, "a connection ended early");
    }
}
