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

/// Stands before a server, and lets through what it is told to: `TestServer::proxy`. When it is dropped, its
/// connections end.
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    accepting: AbortHandle,
}

struct Line {
    target: SocketAddr,
    /// None while it is cut.
    connections: Mutex<Option<JoinSet<()>>>,
    /// How long each chunk takes.
    delay: watch::Sender<Duration>,
}

/// What is read at once.
const CHUNK_BYTES: usize = 4096;

impl Proxy {
    /// A proxy before any server: whoever is given its address can be cut off alone.
    ///
    /// # Errors
    /// There is no port.
    pub async fn before(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let connections = Mutex::new(Some(JoinSet::new()));
        let line = Arc::new(Line { target, connections, delay: watch::Sender::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&line))).abort_handle();
        Ok(Self { address, line, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's base URL through it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends every connection, and lets none through. They have ended when it returns.
    pub async fn cut(&self) {
        let connections = self.line.connections().take();
        if let Some(mut connections) = connections {
            connections.shutdown().await;
        }
    }

    /// Lets everything through again, at full speed; also what is held up now.
    pub fn mend(&self) {
        self.line.delay.send_replace(Duration::ZERO);
        self.line.connections().get_or_insert_default();
    }

    /// Holds up each chunk of at most 4 KiB for so long, in both directions, until it is [mended](Self::mend).
    pub fn slow(&self, chunk: Duration) {
        self.line.delay.send_replace(chunk);
    }
}

impl Line {
    fn connections(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, line: Arc<Line>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of files, say: others may close theirs.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let mut connections = line.connections();
        if let Some(connections) = connections.as_mut() {
            while connections.try_join_next().is_some() {}
            connections.spawn(carry(client, line.target, line.delay.subscribe()));
        }
    }
}

/// Carries both directions until one of them ends.
async fn carry(client: TcpStream, target: SocketAddr, delay: watch::Receiver<Duration>) {
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
        hold_up(&mut delay).await;
        let Some(read) = chunk.get(..length) else { return };
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}

/// Waits until a chunk that came now may go on, also when that is changed meanwhile.
async fn hold_up(delay: &mut watch::Receiver<Duration>) {
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
        self.line.connections().take();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_cut = self.line.connections().is_none();
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
    async fn a_chunk_that_is_held_up_goes_on_when_that_changes() {
        let delay = watch::Sender::new(HOUR);
        let (mut client, from) = tokio::io::duplex(CHUNK_BYTES);
        let (to, mut server) = tokio::io::duplex(CHUNK_BYTES);
        let copying = tokio::spawn(copy(from, to, delay.subscribe()));
        let mut read = [0; 2];
        for change in [Duration::ZERO, HOUR / 2] {
            delay.send_replace(HOUR);
            client.write_all(b"ab").await.unwrap();
            // Time passes when all sleep.
            timeout(HOUR / 4, server.read_exact(&mut read)).await.unwrap_err();
            delay.send_replace(change);
            timeout(HOUR / 2, server.read_exact(&mut read)).await.unwrap().unwrap();
            assert_eq!(&read, b"ab");
        }
        copying.abort();
    }
}
