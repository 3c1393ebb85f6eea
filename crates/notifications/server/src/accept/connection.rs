use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;

use super::lingering::Lingering;
use super::write_timeout::WriteTimeout;
use crate::config::Limits;
use crate::stop::Stopped;

/// The least that hyper takes as a buffer.
const LEAST_HEAD_BYTES: usize = 8 * 1024;

/// Serves one connection to its end, or to the end of its running request once `stopped` says so.
pub(super) async fn serve(stream: TcpStream, router: Router, limits: Limits, mut stopped: Stopped) {
    // Live events are small, and late without it.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(WriteTimeout::new(Lingering::new(stream), limits.write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes.max(LEAST_HEAD_BYTES))
        .serve_connection(io, TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // The other side's doing: a time-out, a reset, no HTTP.
        tracing::debug!(%error, "a connection ended early");
    }
}
