use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
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
/// ends. A connection without a request ends at once, even if a part of a head has arrived.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    // Without it, small live events would be delayed.
    let _ = stream.set_nodelay(true);
    let (had_request, router) = (AtomicBool::new(false), TowerToHyperService::new(router));
    let serve_request = |mut request: hyper::Request<_>| {
        had_request.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    };
    let io = TokioIo::new(WriteTimeout::new(Lingering::new(stream, stop.clone()), limits.write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes.max(MIN_HEAD_BYTES))
        .serve_connection(io, service_fn(serve_request))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        // First, so that a request that has arrived is served.
        biased;
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            // hyper only ends connections at once that have read nothing, or wait for a further
            // request.
            if !had_request.load(Ordering::Relaxed) {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Caused by the client: a time-out, a reset, or something other than HTTP.
        tracing::debug!(error = &error as &dyn Error, "a connection ended early");
    }
}
