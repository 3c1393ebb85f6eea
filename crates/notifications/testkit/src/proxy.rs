use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::Connection;

/// A TCP proxy in front of a server whose connections a test can cut or slow down.
///
/// `TestServer::proxy` creates one. Dropping it ends its connections.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    target: SocketAddr,
    /// None while the proxy is cut.
    connections: Mutex<Option<JoinSet<()>>>,
    /// The time for which each chunk is held back.
    delay: watch::Sender<Duration>,
}

/// The maximum number of bytes that are read at once.
const CHUNK_BYTES: usize = 4096;

impl Proxy {
    /// Starts a proxy in front of any server, on a free port of this machine.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let connections = Mutex::new(Some(JoinSet::new()));
        let state = Arc::new(State { target, connections, delay: watch::Sender::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { address, state, accepting })
    }

    /// Returns the address that the proxy listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL of the server through the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends every connection and lets no new one through. When this returns they have ended.
    pub async fn cut(&self) {
        let connections = self.state.connections().take();
        if let Some(mut connections) = connections {
            connections.shutdown().await;
        }
    }

    /// Lets everything through again at full speed, including what is held back now.
    pub fn mend(&self) {
        self.state.delay.send_replace(Duration::ZERO);
        self.state.connections().get_or_insert_default();
    }

    /// Holds back each chunk of at most 4 KiB for this long, in both directions, until
    /// [`mend`](Self::mend) is called.
    pub fn slow(&self, chunk: Duration) {
        self.state.delay.send_replace(chunk);
    }
}

impl State {
    fn connections(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Too many open files, for example; others may close theirs.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let mut connections = state.connections();
        if let Some(connections) = connections.as_mut() {
            while connections.try_join_next().is_some() {}
            connections.spawn(forward(client, state.target, state.delay.subscribe()));
        }
    }
}

/// Forwards both directions until one of them ends.
async fn forward(client: TcpStream, target: SocketAddr, delay: watch::Receiver<Duration>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, delay.clone()) => {}
        () = copy(from_server, to_client, delay) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut delay: watch::Receiver<Duration>,
) {
    let mut chunk = [0; CHUNK_BYTES];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        hold_back(&mut delay).await;
        let Some(read) = chunk.get(..length) else { return };
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}

/// Holds back a chunk that arrived now, for a delay that may change in the meantime.
async fn hold_back(delay: &mut watch::Receiver<Duration>) {
    let since = Instant::now();
    loop {
        let left = delay.borrow_and_update().saturating_sub(since.elapsed());
        if left.is_zero() {
            return;
        }
        tokio::select! {
            () = sleep(left) => return,
            changed = delay.changed() => if changed.is_err() { return },
        }
    }
}

#[async_trait]
impl Connection for Proxy {
    async fn cut(&self) {
        Proxy::cut(self).await;
    }

    async fn mend(&self) {
        Proxy::mend(self);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.state.connections().take();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_cut = self.state.connections().is_none();
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("is_cut", &is_cut)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_held_back_chunk_is_forwarded_when_the_delay_changes() {
        let delay = watch::Sender::new(HOUR);
        let (mut client, from) = tokio::io::duplex(CHUNK_BYTES);
        let (to, mut server) = tokio::io::duplex(CHUNK_BYTES);
        let copying = tokio::spawn(copy(from, to, delay.subscribe()));
        let mut read = [0; 2];
        for change in [Duration::ZERO, HOUR / 2] {
            delay.send_replace(HOUR);
            client.write_all(b"ab").await.unwrap();
            // The paused clock advances while every task sleeps.
            timeout(HOUR / 4, server.read_exact(&mut read)).await.unwrap_err();
            delay.send_replace(change);
            timeout(HOUR / 2, server.read_exact(&mut read)).await.unwrap().unwrap();
            assert_eq!(&read, b"ab");
        }
        copying.abort();
    }
}
