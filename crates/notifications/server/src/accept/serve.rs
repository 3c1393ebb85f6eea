use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection;
use crate::config::Limits;

/// How long to wait after accepting failed for lack of resources.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves a router until `shutdown` completes. Then it accepts no more connections, and running
/// requests have [`Limits::shutdown_timeout`] to finish. Connections without a request are closed
/// at once, and upgraded ones are not waited for.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    let mut failing = false;
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = running.join_next() => {}
            accepted = accept(&listener, &permits) => match accepted {
                Ok((stream, peer, permit)) => {
                    failing = false;
                    let served = connection::serve(stream, peer, router.clone(), limits.clone(), stop.clone());
                    running.spawn(async move {
                        served.await;
                        drop(permit);
                    });
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(%error, "connections cannot be accepted; trying again");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    stop.cancel();
    let ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.shutdown_timeout, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

/// Accepts a connection once there is a permit for it. Further connections wait in the kernel's
/// bounded queue.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>)> {
    let permit = permits.clone().acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// Returns whether only this connection is lost. Other errors, such as a lack of file descriptors,
/// would also meet the next one.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
